# Formula or structure -> text; formula and element properties -> composition image, grey levels from the training part.

from polyfacet.text_variants import STRUCTURE_TEXTS

TEXT = config["composition"]["text"]


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
    resources:
        **requests("small", materials_in_sample()),
    params:
        code=code_of_rule("describe_compositions"),
        variant=TEXT,
        max_rejected_fraction=config["max_rejected_fraction"],
    script:
        script_path("describe_compositions")


rule describe_structures:
    input:
        structures=rules.write_structures.output.structures,
        materials=rules.write_structures.output.manifest,
    output:
        text=f"{RUN}/structure_text/shard-{{shard}}.parquet",
        rejected=f"{RUN}/structure_text/shard-{{shard}}.rejected.parquet",
    log:
        f"{LOGS}/structure_text/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/structure_text/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("describe_structures", materials_per_shard()),
    params:
        code=code_of_rule("describe_structures"),
        variant=TEXT,
        max_rejected_fraction=config["max_rejected_fraction"],
    script:
        script_path("describe_structures")


def text_tables():
    """The texts in the chosen form: of formulas in one table, of structures in one per shard."""
    if TEXT in STRUCTURE_TEXTS:
        return all_shards(rules.describe_structures.output.text)
    return [rules.describe_compositions.output.text]


def rejected_texts():
    """The materials that have no text of the chosen form."""
    if TEXT in STRUCTURE_TEXTS:
        return all_shards(rules.describe_structures.output.rejected)
    return [rules.describe_compositions.output.rejected]


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
    resources:
        **requests("small", 0),
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
        (
            "../envs/xenonpy.yaml"
            if config["composition"]["backend"] == "xenonpy"
            else "../envs/crystals.yaml"
        )
    resources:
        **requests("draw_composition_images", materials_in_sample()),
    params:
        code=code_of_rule("draw_composition_images"),
        backend=config["composition"]["backend"],
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
    resources:
        **requests("small", 0),
    params:
        code=code_of_rule("draw_composition_legend"),
        layout=config["composition"]["layout"],
    script:
        script_path("draw_composition_legend")
