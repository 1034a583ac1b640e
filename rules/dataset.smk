# Objectives, facets and split of every material -> one aligned table, one part per shard.


include: "functions/dataset.smk"


rule assemble_dataset:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        derived=lambda wildcards: derived_objectives(wildcards.source),
        tables=tables_of_shard,
        pictures=pictures_of_shard,
    output:
        dataset=f"{SPLIT}/dataset/shard-{{shard}}.parquet",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/dataset/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/dataset/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of_shard),
    params:
        code=code_of_rule("assemble_dataset"),
        packages=packages_of_rule("assemble_dataset"),
        facets=lambda wildcards: [facet.name for facet in FACETS_OF[wildcards.source]],
        n_shards=shards_of,
        shown=shown_of_source,
        hidden=hidden_facets,
        structure_pictures=structure_picture_columns(
            config["images"]["views"], config["images"]["arrangement"]
        ),
    script:
        script_path("assemble_dataset")


rule gather_dataset:
    input:
        parts=all_shards_of_source(rules.assemble_dataset.output.dataset),
        statistics=OBJECTIVE_STATISTICS,
    output:
        metadata=f"{SPLIT}/dataset/_metadata",
        # Readers of a folder of tables skip names that begin with an underscore.
        card=f"{SPLIT}/dataset/_README.md",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/gather_dataset.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/gather_dataset.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of),
    params:
        code=code_of_rule("gather_dataset"),
        packages=packages_of_rule("gather_dataset"),
        about=about_dataset,
    script:
        script_path("gather_dataset")
