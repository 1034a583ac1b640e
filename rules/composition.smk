# Formula or structure -> text; formula and element properties -> composition image with grey levels fitted on training.

from polyfacet.facets.text.variants import FORMULA_TEXTS, STRUCTURE_TEXTS


rule describe_compositions:
    input:
        materials=SAMPLE,
    output:
        text=f"{SOURCE}/text-{{form}}/shard-{{shard}}.parquet",
        rejected=f"{SOURCE}/text-{{form}}/shard-{{shard}}.rejected.parquet",
        provenance=f"{SOURCE}/text-{{form}}/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{{source}}/text-{{form}}/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/text-{{form}}/shard-{{shard}}.tsv"
    wildcard_constraints:
        form="|".join(FORMULA_TEXTS),
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of_shard),
    params:
        code=code_of_rule("describe_compositions"),
        packages=packages_of_rule("describe_compositions"),
        kept=kept_record,
        n_shards=shards_of,
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("describe_compositions")


rule describe_structures:
    input:
        structures=rules.write_structures.output.structures,
        materials=rules.write_structures.output.manifest,
    output:
        text=f"{RUN}/{CRYSTALS}/text-{{form}}/shard-{{shard}}.parquet",
        rejected=f"{RUN}/{CRYSTALS}/text-{{form}}/shard-{{shard}}.rejected.parquet",
        provenance=f"{RUN}/{CRYSTALS}/text-{{form}}/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{CRYSTALS}/text-{{form}}/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/text-{{form}}/shard-{{shard}}.tsv"
    wildcard_constraints:
        form="|".join(STRUCTURE_TEXTS),
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("describe_structures", materials_per_shard()),
    params:
        code=code_of_rule("describe_structures"),
        packages=packages_of_rule("describe_structures"),
        kept=kept_record,
        max_sites=config["max_sites"]["texts"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("describe_structures")


rule build_element_table:
    input:
        source=of_user(config["composition"]["element_table"]),
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
        packages=packages_of_rule("build_element_table"),
        state=lambda wildcards: state_of_files(
            filter(None, [config["composition"]["element_table"]])
        ),
    script:
        script_path("build_element_table")


rule compute_composition_statistics:
    input:
        materials=SAMPLE,
        element_table=rules.build_element_table.output.element_table,
    output:
        table=f"{SOURCE}/composition_statistics/shard-{{shard}}.parquet",
        rejected=f"{SOURCE}/composition_statistics/shard-{{shard}}.rejected.parquet",
        provenance=f"{SOURCE}/composition_statistics/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{{source}}/composition_statistics/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/composition_statistics/shard-{{shard}}.tsv"
    conda:
        (
            "../envs/xenonpy.yaml"
            if config["composition"]["backend"] == "xenonpy"
            else "../envs/crystals.yaml"
        )
    resources:
        **requests(
            (
                "xenonpy_statistics"
                if config["composition"]["backend"] == "xenonpy"
                else "small"
            ),
            materials_of_shard,
        ),
    params:
        code=code_of_rule("compute_composition_statistics"),
        packages=packages_of_rule("compute_composition_statistics"),
        kept=kept_record,
        n_shards=shards_of,
        backend=config["composition"]["backend"],
        statistics=config["composition"]["statistics"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("compute_composition_statistics")


rule fit_grey_levels:
    input:
        statistics=all_shards_of_source(
            rules.compute_composition_statistics.output.table
        ),
        split=rules.split_materials.output.split,
    output:
        grey_levels=f"{SPLIT}/grey_levels.json",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/fit_grey_levels.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/fit_grey_levels.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of),
    params:
        code=code_of_rule("fit_grey_levels"),
        packages=packages_of_rule("fit_grey_levels"),
        fit=config["composition"]["fit"],
        hidden=hidden_facets,
        origin={name: config["composition"][name] for name in ("backend", "statistics")},
    script:
        script_path("fit_grey_levels")


rule draw_composition_images:
    input:
        statistics=rules.compute_composition_statistics.output.table,
        grey_levels=rules.fit_grey_levels.output.grey_levels,
    output:
        images=directory(f"{SPLIT}/composition_images/shard-{{shard}}"),
        manifest=f"{SPLIT}/composition_images/shard-{{shard}}.parquet",
        provenance=f"{SPLIT}/composition_images/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/composition_images/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/composition_images/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of_shard),
    params:
        code=code_of_rule("draw_composition_images"),
        packages=packages_of_rule("draw_composition_images"),
        kept=kept_record,
        layout=config["composition"]["layout"],
        scale=config["composition"]["scale"],
    script:
        script_path("draw_composition_images")


rule draw_composition_legend:
    output:
        legend=report(
            f"{RUN}/report/composition_legend.png",
            caption="../workflow/report/composition_legend.rst",
            category="Pictures",
            labels={"content": "Legend of the composition image"},
        ),
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
        packages=packages_of_rule("draw_composition_legend"),
        layout=config["composition"]["layout"],
    script:
        script_path("draw_composition_legend")
