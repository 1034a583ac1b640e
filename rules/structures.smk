# The sample -> one CIF per material, in shards.


rule write_structures:
    input:
        sample=rules.sample.output.sample,
    output:
        structures=directory(f"{RUN}/{CRYSTALS}/structures/shard-{{shard}}"),
        manifest=f"{RUN}/{CRYSTALS}/structures/shard-{{shard}}.parquet",
        rejected=f"{RUN}/{CRYSTALS}/structures/shard-{{shard}}.rejected.parquet",
        provenance=f"{RUN}/{CRYSTALS}/structures/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{CRYSTALS}/structures/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/structures/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("write_structures", materials_per_shard()),
    params:
        code=code_of_rule("write_structures"),
        packages=packages_of_rule("write_structures"),
        kept=kept_record,
        n_shards=n_shards(),
        max_sites=config["max_sites"]["structures"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("write_structures")
