# CIF -> lattice sums and local graph, in shards -> network, fitted on the training part of a split -> embedding.

TRAINED_EMBEDDING = config["graphs"]["embedding"] == "trained"


rule build_graphs:
    input:
        structures=rules.write_structures.output.structures,
        materials=rules.write_structures.output.manifest,
    output:
        graphs=f"{RUN}/graphs/shard-{{shard}}.parquet",
        rejected=f"{RUN}/graphs/shard-{{shard}}.rejected.parquet",
    log:
        f"{LOGS}/graphs/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/graphs/shard-{{shard}}.tsv"
    conda:
        "../envs/graphs.yaml"
    params:
        code=code_of_rule("build_graphs"),
        pauli=config["graphs"]["pauli"],
        neighbours=config["graphs"]["neighbours"],
        min_radius=config["graphs"]["min_radius"],
        max_rejected_fraction=config["max_rejected_fraction"],
    script:
        script_path("build_graphs")


rule fit_network:
    input:
        graphs=all_shards(rules.build_graphs.output.graphs),
        split=rules.split_materials.output.split,
        # Only a training looks at the targets.
        sample=rules.sample.output.sample if TRAINED_EMBEDDING else [],
    output:
        network=f"{SPLIT}/network.safetensors",
    log:
        f"{LOGS}/split-{{repeat}}/fit_network.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/fit_network.tsv"
    conda:
        "../envs/graphs.yaml"
    params:
        code=code_of_rule("fit_network"),
        kind=config["graphs"]["embedding"],
        device=config["graphs"]["device"],
        width=config["graphs"]["width"],
        layers=config["graphs"]["layers"],
        targets=TARGETS if TRAINED_EMBEDDING else [],
        training=config["graphs"]["training"] if TRAINED_EMBEDDING else None,
        seed=config["seed"],
    script:
        script_path("fit_network")


rule embed_graphs:
    input:
        graphs=all_shards(rules.build_graphs.output.graphs),
        network=rules.fit_network.output.network,
    output:
        embeddings=f"{SPLIT}/embeddings.parquet",
    log:
        f"{LOGS}/split-{{repeat}}/embed_graphs.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/embed_graphs.tsv"
    conda:
        "../envs/graphs.yaml"
    params:
        code=code_of_rule("embed_graphs"),
        device=config["graphs"]["device"],
    script:
        script_path("embed_graphs")
