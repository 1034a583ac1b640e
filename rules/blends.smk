# Finished cells of several methods -> cells of blends, which average them; nothing is trained again.


include: "functions/blends.smk"


rule blend_cells:
    input:
        split=rules.split_materials.output.split,
        trained=cells_of_members,
    output:
        cells=directory(f"{CELLS}/{{method}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}.tsv"
    wildcard_constraints:
        method=names_of_methods(lambda wildcards: engine_of(wildcards).blends),
    conda:
        "../envs/training.yaml"
    resources:
        **requests(cost_of_training, materials_of),
    params:
        code=lambda wildcards: code_of_rule("blend_cells", *engine_code(wildcards)),
        packages=lambda wildcards: packages_of_rule(
            "blend_cells", *engine_code(wildcards)
        ),
        members=folder_of_methods,
        place=place_of_job,
        grid=cells_of_job,
        engine=lambda wildcards: method_of(wildcards)["engine"],
        settings=lambda wildcards: method_of(wildcards)["settings"],
        text=config["composition"]["text"],
        keep_models=config["training"]["keep_models"],
        seed=config["seed"],
    script:
        script_path("blend_cells")
