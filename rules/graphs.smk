# CIF -> lattice sums and local graph, in shards -> PotNet embedding, fitted on the training part of a split.


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


rule embed_graphs:
    input:
        graphs=all_shards(rules.build_graphs.output.graphs),
        split=rules.split_materials.output.split,
    output:
        embeddings=f"{SPLIT}/embeddings.parquet",
        network=f"{SPLIT}/network.safetensors",
    log:
        f"{LOGS}/split-{{repeat}}/embed_graphs.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/embed_graphs.tsv"
    conda:
        "../envs/graphs.yaml"
    params:
        code=code_of_rule("embed_graphs"),
        kind=config["graphs"]["embedding"],
        device=config["graphs"]["device"],
        seed=config["seed"],
    script:
        script_path("embed_graphs")
