# Targets, facets and split of every material -> one aligned table.


rule assemble_dataset:
    input:
        sample=rules.sample.output.sample,
        split=rules.split_materials.output.split,
        text=text_tables(),
        images=all_shards(rules.render_images.output.manifest),
        picture_folders=all_shards(rules.render_images.output.images),
        embeddings=rules.embed_graphs.output.embeddings,
        composition_images=rules.draw_composition_images.output.manifest,
        composition_folder=rules.draw_composition_images.output.images,
    output:
        dataset=f"{SPLIT}/dataset.parquet",
    log:
        f"{LOGS}/split-{{repeat}}/assemble_dataset.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/assemble_dataset.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_in_sample()),
    params:
        code=code_of_rule("assemble_dataset"),
    script:
        script_path("assemble_dataset")
