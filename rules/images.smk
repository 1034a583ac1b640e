# CIF -> picture, drawn by Crystal Toolkit in a headless browser, in shards.

from polyfacet.facets.image.drawn_by import drawn_by


include: "functions/images.smk"


rule render_images:
    input:
        structures=rules.write_structures.output.structures,
        materials=rules.write_structures.output.manifest,
    output:
        images=directory(f"{RUN}/{CRYSTALS}/images/shard-{{shard}}"),
        manifest=f"{RUN}/{CRYSTALS}/images/shard-{{shard}}.parquet",
        rejected=f"{RUN}/{CRYSTALS}/images/shard-{{shard}}.rejected.parquet",
        provenance=f"{RUN}/{CRYSTALS}/images/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{CRYSTALS}/images/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/images/shard-{{shard}}.tsv"
    conda:
        "../envs/rendering.yaml"
    # Parallel shards share the cores; more than 8 threads do not keep the browsers busier.
    threads: max(1, min(8, cores_of_run() // shards_drawn_at_once()))
    resources:
        **requests("render_images", materials_per_shard(), gpus=gpus_of_pictures),
    params:
        **config["images"],
        drawn_by=what_draws,
        scenes=f"{PREFIXED_RUN}/{CRYSTALS}/images/scenes",
        code=code_of_rule("render_images"),
        packages=packages_of_rule("render_images"),
        kept=kept_record,
        max_sites=config["max_sites"]["images"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("render_images")
