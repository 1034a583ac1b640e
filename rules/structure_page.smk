# Results of a run so far -> a web page, served until Ctrl-C; not part of `rule all`.


rule serve_structures:
    log:
        f"{LOGS}/serve_structures.log",
    # The user's browser is on the machine on which Snakemake was started.
    localrule: True
    conda:
        "../envs/rendering.yaml"
    params:
        code=code_of_rule("serve_structures"),
        run=f"{PREFIXED_RUN}/{CRYSTALS}",
        n_shards=n_shards(),
        port=config["structure_page"]["port"],
        colors=config["images"]["colors"],
        cell=config["images"]["cell"],
        vacuum=config["images"]["vacuum"],
    script:
        script_path("serve_structures")
