# New materials and a bundle -> predictions, in shards; `snakemake predict` makes them, `rule all` does not.


include: "functions/predict.smk"


PREDICTIONS = f"{RUN}/predictions"


rule read_new_materials:
    input:
        files=files_of_new_materials,
        described=description_of_bundle,
    output:
        materials=f"{PREDICTIONS}/materials.parquet",
        rejected=f"{PREDICTIONS}/materials.rejected.parquet",
        summary=f"{PREDICTIONS}/materials.json",
    log:
        f"{LOGS}/predictions/read_new_materials.log",
    benchmark:
        f"{BENCHMARKS}/predictions/read_new_materials.tsv"
    conda:
        "../envs/crystals.yaml"
    # One part of a source per thread.
    threads: 8
    resources:
        **requests("sample", lambda wildcards: n_new_materials()),
    params:
        code=code_of_rule("read_new_materials"),
        packages=packages_of_rule("read_new_materials"),
        bundle=config["predict"]["bundle"],
        sources=lambda wildcards: config["predict"]["sources"],
        state=state_of_new_materials,
        # How materials are read depends on the bundle.
        bundle_state=digest_of_bundle,
    script:
        script_path("read_new_materials")


rule predict_materials:
    input:
        materials=rules.read_new_materials.output.materials,
        described=description_of_bundle,
    output:
        predictions=f"{PREDICTIONS}/shard-{{shard}}.parquet",
        rejected=f"{PREDICTIONS}/shard-{{shard}}.rejected.parquet",
    log:
        f"{LOGS}/predictions/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/predictions/shard-{{shard}}.tsv"
    conda:
        "../envs/predict.yaml"
    threads: config["training"]["threads"]
    resources:
        **requests(
            cost_of_predicting, new_materials_of_shard, gpus=gpus_of_pictures_of_bundle
        ),
    params:
        code=lambda wildcards: code_of_rule("predict_materials", *code_of_bundle()),
        packages=lambda wildcards: packages_of_rule(
            "predict_materials", *code_of_bundle()
        ),
        bundle=config["predict"]["bundle"],
        state=digest_of_bundle,
        n_shards=lambda wildcards: n_shards_of_predictions(),
        browser=config["images"]["browser"],
    script:
        script_path("predict_materials")


rule gather_predictions:
    input:
        shards=shards_of_predictions(rules.predict_materials.output.predictions),
        unread=rules.read_new_materials.output.rejected,
        shards_rejected=shards_of_predictions(rules.predict_materials.output.rejected),
    output:
        predictions=f"{PREDICTIONS}/predictions.parquet",
        rejected=f"{PREDICTIONS}/rejected.parquet",
    log:
        f"{LOGS}/predictions/gather_predictions.log",
    benchmark:
        f"{BENCHMARKS}/predictions/gather_predictions.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", 0),
    params:
        code=code_of_rule("gather_predictions"),
        packages=packages_of_rule("gather_predictions"),
    script:
        script_path("gather_predictions")


rule predict:
    input:
        rules.gather_predictions.output,
