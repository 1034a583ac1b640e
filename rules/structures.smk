# The sample -> one CIF per material, in shards.


rule write_structures:
    input:
        sample=rules.sample.output.sample,
    output:
        structures=directory(f"{RUN}/structures/shard-{{shard}}"),
        manifest=f"{RUN}/structures/shard-{{shard}}.parquet",
        rejected=f"{RUN}/structures/shard-{{shard}}.rejected.parquet",
        provenance=f"{RUN}/structures/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/structures/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/structures/shard-{{shard}}.tsv"
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
