# What a run has made so far -> a page that a person can look at, until Ctrl-C; no part of `rule all`.


rule serve_structures:
    log:
        f"{LOGS}/serve_structures.log",
    # The browser that looks at it is on the machine that Snakemake was started on.
    localrule: True
    conda:
        "../envs/rendering.yaml"
    params:
        code=code_of_rule("serve_structures"),
        run=str(workflow.modifier.path_modifier.modify(f"{RUN}/{CRYSTALS}")),
        n_shards=n_shards(),
        port=config["structure_page"]["port"],
        colors=config["images"]["colors"],
        cell=config["images"]["cell"],
        vacuum=config["images"]["vacuum"],
    script:
        script_path("serve_structures")
