# CIF -> lattice sums and local graph -> network fitted on the training part of a split -> embedding; in shards.


include: "functions/graphs.smk"


TRAINED_EMBEDDING = config["graphs"]["embedding"] == "trained"
COLUMNS_LEARNED = columns_learned_by_embedding() if TRAINED_EMBEDDING else []
LEARNED_BY_EMBEDDING = COLUMNS_LEARNED or (
    config["graphs"]["training"]["objectives"] or [] if TRAINED_EMBEDDING else []
)
FITTED_EMBEDDING = config["graphs"]["embedding"] != "random"
PRETRAINED_EMBEDDING = TRAINED_EMBEDDING and config["graphs"]["pretrain"] > 0


rule build_graphs:
    input:
        structures=rules.write_structures.output.structures,
        materials=rules.write_structures.output.manifest,
    output:
        graphs=f"{RUN}/{CRYSTALS}/graphs/shard-{{shard}}.parquet",
        rejected=f"{RUN}/{CRYSTALS}/graphs/shard-{{shard}}.rejected.parquet",
        provenance=f"{RUN}/{CRYSTALS}/graphs/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{CRYSTALS}/graphs/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/graphs/shard-{{shard}}.tsv"
    conda:
        "../envs/graphs.yaml"
    resources:
        **requests("build_graphs", materials_per_shard()),
    params:
        code=code_of_rule("build_graphs"),
        packages=packages_of_rule("build_graphs"),
        kept=kept_record,
        pauli=config["graphs"]["pauli"],
        neighbours=config["graphs"]["neighbours"],
        min_radius=config["graphs"]["min_radius"],
        across_vacuum=config["graphs"]["across_vacuum"],
        max_sites=config["max_sites"]["graphs"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("build_graphs")


# Materials outside the sample pass through the same stages, for pretraining.
rule sample_pretraining:
    input:
        files=files_of_sources,
        sample=rules.sample.output.sample,
    output:
        pretraining=f"{RUN}/{CRYSTALS}/pretraining/sample.parquet",
        summary=f"{RUN}/{CRYSTALS}/pretraining/summary.json",
    log:
        f"{LOGS}/{CRYSTALS}/pretraining/sample.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/pretraining/sample.tsv"
    conda:
        "../envs/crystals.yaml"
    # One entry file, or a thousand structure files, per thread.
    threads: 8
    resources:
        **requests(
            "sample",
            config["graphs"]["pretrain"],
            steps=n_entries(),
        ),
    params:
        code=code_of_rule("sample_pretraining"),
        packages=packages_of_rule("sample_pretraining"),
        sources=lambda wildcards: config["sources"],
        state=state_of_sources,
        n_materials=config["graphs"]["pretrain"],
        seed=config["seed"],
        filters=config["filters"],
        magnetization=config["magnetization"],
    script:
        script_path("sample_pretraining")


use rule write_structures as write_pretraining_structures with:
    input:
        sample=rules.sample_pretraining.output.pretraining,
    output:
        structures=directory(f"{RUN}/{CRYSTALS}/pretraining/structures/shard-{{shard}}"),
        manifest=f"{RUN}/{CRYSTALS}/pretraining/structures/shard-{{shard}}.parquet",
        rejected=f"{RUN}/{CRYSTALS}/pretraining/structures/shard-{{shard}}.rejected.parquet",
        provenance=f"{RUN}/{CRYSTALS}/pretraining/structures/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{CRYSTALS}/pretraining/structures/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/pretraining/structures/shard-{{shard}}.tsv"
    resources:
        **requests("write_structures", pretraining_per_shard()),


use rule build_graphs as build_pretraining_graphs with:
    input:
        structures=rules.write_pretraining_structures.output.structures,
        materials=rules.write_pretraining_structures.output.manifest,
    output:
        graphs=f"{RUN}/{CRYSTALS}/pretraining/graphs/shard-{{shard}}.parquet",
        rejected=f"{RUN}/{CRYSTALS}/pretraining/graphs/shard-{{shard}}.rejected.parquet",
        provenance=f"{RUN}/{CRYSTALS}/pretraining/graphs/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{CRYSTALS}/pretraining/graphs/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/pretraining/graphs/shard-{{shard}}.tsv"
    resources:
        **requests("build_graphs", pretraining_per_shard()),


rule fit_network:
    input:
        # Random weights need no graphs and stay the same when the sample grows.
        graphs=all_shards(rules.build_graphs.output.graphs) if FITTED_EMBEDDING else [],
        split=f"{CRYSTAL_SPLIT}/split.parquet",
        # Only training uses the objectives; pretraining also the one that splits the materials.
        sample=rules.sample.output.sample if TRAINED_EMBEDDING else [],
        derived=lambda wildcards: derived_objectives(
            CRYSTALS,
            [
                *LEARNED_BY_EMBEDDING,
                PRETRAINED_EMBEDDING and SPLITS[wildcards.split]["objective"],
            ],
        ),
        pretraining=(
            rules.sample_pretraining.output.pretraining if PRETRAINED_EMBEDDING else []
        ),
        pretraining_graphs=(
            all_shards(rules.build_pretraining_graphs.output.graphs)
            if PRETRAINED_EMBEDDING
            else []
        ),
    output:
        network=f"{CRYSTAL_SPLIT}/network.safetensors",
        record=f"{CRYSTAL_SPLIT}/network.json",
    log:
        f"{LOGS}/{CRYSTALS}/{{split}}-{{repeat}}/fit_network.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/{{split}}-{{repeat}}/fit_network.tsv"
    conda:
        "../envs/graphs.yaml"
    threads: config["graphs"]["training"]["processes"] if TRAINED_EMBEDDING else 1
    resources:
        **requests(
            "fit_network",
            fitted_materials(),
            steps=fitted_materials() * config["graphs"]["training"]["epochs"],
            gpus=gpus_of_training,
        ),
        **nodes_of_training(),
    params:
        code=lambda wildcards: code_of_rule("fit_network", *code_of_split(wildcards)),
        packages=lambda wildcards: packages_of_rule(
            "fit_network", *code_of_split(wildcards)
        ),
        kind=config["graphs"]["embedding"],
        device=config["graphs"]["device"],
        width=config["graphs"]["width"],
        layers=config["graphs"]["layers"],
        training=config["graphs"]["training"] if TRAINED_EMBEDDING else None,
        columns=COLUMNS_LEARNED,
        hidden=hidden_facets if FITTED_EMBEDDING else None,
        # Pretraining leaves out what the split holds out.
        split_method=lambda wildcards: (
            split_method(wildcards) if PRETRAINED_EMBEDDING else None
        ),
        split_settings=lambda wildcards: (
            split_settings(wildcards) if PRETRAINED_EMBEDDING else None
        ),
        seed=lambda wildcards: config["seed"] + int(wildcards.repeat),
    script:
        script_path("fit_network")


rule embed_graphs:
    input:
        graphs=rules.build_graphs.output.graphs,
        network=rules.fit_network.output.network,
    output:
        embeddings=f"{CRYSTAL_SPLIT}/embeddings/shard-{{shard}}.parquet",
        provenance=f"{CRYSTAL_SPLIT}/embeddings/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{CRYSTALS}/{{split}}-{{repeat}}/embeddings/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/{{split}}-{{repeat}}/embeddings/shard-{{shard}}.tsv"
    conda:
        "../envs/graphs.yaml"
    resources:
        **requests("embed_graphs", materials_per_shard(), gpus=gpus_of_network),
    params:
        code=code_of_rule("embed_graphs"),
        packages=packages_of_rule("embed_graphs"),
        kept=kept_record,
        device=config["graphs"]["device"],
    script:
        script_path("embed_graphs")
