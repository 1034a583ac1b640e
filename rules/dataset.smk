# Targets, facets and split of every material -> one aligned table, a part for each shard.


rule assemble_dataset:
    input:
        sample=rules.sample.output.sample,
        split=rules.split_materials.output.split,
        text=TEXT_RULE.output.text,
        images=rules.render_images.output.manifest,
        picture_folder=rules.render_images.output.images,
        embeddings=rules.embed_graphs.output.embeddings,
        composition_images=rules.draw_composition_images.output.manifest,
        composition_folder=rules.draw_composition_images.output.images,
    output:
        dataset=f"{SPLIT}/dataset/shard-{{shard}}.parquet",
    log:
        f"{LOGS}/split-{{repeat}}/dataset/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/dataset/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_per_shard()),
    params:
        code=code_of_rule("assemble_dataset"),
        packages=packages_of_rule("assemble_dataset"),
        n_shards=n_shards(),
        views=config["images"]["views"],
        arrangement=config["images"]["arrangement"],
    script:
        script_path("assemble_dataset")


# What uses the dataset waits for this list of its parts, and finds them beside it.
rule gather_dataset:
    input:
        parts=all_shards(rules.assemble_dataset.output.dataset),
    output:
        metadata=f"{SPLIT}/dataset/_metadata",
    log:
        f"{LOGS}/split-{{repeat}}/gather_dataset.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/gather_dataset.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("gather_dataset"),
        packages=packages_of_rule("gather_dataset"),
    script:
        script_path("gather_dataset")
