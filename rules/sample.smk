# Raw entries -> a seeded, nested sample of checked materials -> its split into training and test part.


rule sample:
    input:
        files=files_of_sources,
    output:
        sample=f"{RUN}/sample/sample.parquet",
        rejected=f"{RUN}/sample/rejected.parquet",
        summary=f"{RUN}/sample/summary.json",
    log:
        f"{LOGS}/sample.log",
    benchmark:
        f"{BENCHMARKS}/sample.tsv"
    conda:
        "../envs/crystals.yaml"
    # One entry file per thread.
    threads: 8
    resources:
        **requests("sample", n_materials(), steps=n_entries()),
    params:
        code=code_of_rule("sample"),
        packages=packages_of_rule("sample"),
        sources=lambda wildcards: config["sources"],
        state=state_of_sources,
        n_materials=config["n_materials"],
        seed=config["seed"],
        filters=config["filters"],
        magnetization=config["magnetization"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("sample")


# All materials of a formula are in one shard.
rule find_twins:
    input:
        sample=rules.sample.output.sample,
    output:
        twins=f"{RUN}/twins/shard-{{shard}}.parquet",
    log:
        f"{LOGS}/twins/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/twins/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("find_twins", materials_per_shard()),
    params:
        code=code_of_rule("find_twins"),
        packages=packages_of_rule("find_twins"),
        n_shards=n_shards(),
    script:
        script_path("find_twins")


rule split_materials:
    input:
        sample=rules.sample.output.sample,
        twins=all_shards(rules.find_twins.output.twins),
        file=config["split"]["file"] or [],
    output:
        split=f"{SPLIT}/split.parquet",
    log:
        f"{LOGS}/split-{{repeat}}/split_materials.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/split_materials.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        **{
            name: value
            for name, value in config["split"].items()
            if name not in ("file", "repeats")
        },
        code=code_of_rule("split_materials"),
        packages=packages_of_rule("split_materials"),
        seed=config["seed"],
        state=state_of_files(filter(None, [config["split"]["file"]])),
    script:
        script_path("split_materials")
