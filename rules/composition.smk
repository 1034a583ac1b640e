# Formula -> composition text; element properties -> composition image, grey levels from the training part.


rule describe_compositions:
    input:
        materials=rules.sample.output.sample,
    output:
        text=f"{RUN}/composition/text.parquet",
        rejected=f"{RUN}/composition/text.rejected.parquet",
    log:
        f"{LOGS}/describe_compositions.log",
    benchmark:
        f"{BENCHMARKS}/describe_compositions.tsv"
    conda:
        "../envs/crystals.yaml"
    params:
        code=code_of_rule("describe_compositions"),
        variant=config["composition"]["text"],
        max_rejected_fraction=config["max_rejected_fraction"],
    script:
        script_path("describe_compositions")


rule build_element_table:
    input:
        source=config["composition"]["element_table"] or [],
    output:
        element_table=f"{RUN}/composition/element_table.parquet",
        provenance=f"{RUN}/composition/element_table.provenance.json",
    log:
        f"{LOGS}/build_element_table.log",
    benchmark:
        f"{BENCHMARKS}/build_element_table.tsv"
    conda:
        "../envs/crystals.yaml"
    params:
        code=code_of_rule("build_element_table"),
    script:
        script_path("build_element_table")


rule draw_composition_images:
    input:
        materials=rules.sample.output.sample,
        split=rules.split_materials.output.split,
        element_table=rules.build_element_table.output.element_table,
    output:
        images=directory(f"{SPLIT}/composition_images"),
        manifest=f"{SPLIT}/composition_images.parquet",
        grey_levels=f"{SPLIT}/grey_levels.json",
        rejected=f"{SPLIT}/composition_images.rejected.parquet",
    log:
        f"{LOGS}/split-{{repeat}}/draw_composition_images.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/draw_composition_images.tsv"
    conda:
        "../envs/crystals.yaml"
    params:
        code=code_of_rule("draw_composition_images"),
        statistics=config["composition"]["statistics"],
        layout=config["composition"]["layout"],
        fit=config["composition"]["fit"],
        scale=config["composition"]["scale"],
        max_rejected_fraction=config["max_rejected_fraction"],
    script:
        script_path("draw_composition_images")


rule draw_composition_legend:
    output:
        legend=f"{RUN}/report/composition_legend.png",
    log:
        f"{LOGS}/draw_composition_legend.log",
    benchmark:
        f"{BENCHMARKS}/draw_composition_legend.tsv"
    conda:
        "../envs/report.yaml"
    params:
        code=code_of_rule("draw_composition_legend"),
        layout=config["composition"]["layout"],
    script:
        script_path("draw_composition_legend")
