# Trained cells of a split -> bundles, folders with all that predictions need; `snakemake bundles` makes all of them.


include: "functions/bundles.smk"


rule bundle_cells:
    input:
        trained=cells_of_split,
        sample=SAMPLE,
        summary=summary_of_table,
        tables=files_of_split("table"),
        pictures=files_of_split("pictures"),
        element_table=rules.build_element_table.output.element_table,
        network=lambda wildcards: (
            rules.fit_network.output.network if shows(wildcards, GRAPH) else []
        ),
        grey_levels=lambda wildcards: (
            rules.fit_grey_levels.output.grey_levels
            if shows(wildcards, COMPIMAGE)
            else []
        ),
        encoders=encoders_of_split,
        representations=representations_of_split,
    output:
        bundles=directory(f"{SPLIT}/bundles"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/bundle_cells.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/bundle_cells.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("bundle_cells", materials_of),
    params:
        code=code_of_rule("bundle_cells"),
        packages=packages_of_rule("bundle_cells"),
        cells=folder_of_cells,
        grid=bundled_cells,
        facets=lambda wildcards: [facet.name for facet in FACETS_OF[wildcards.source]],
        encoded=lambda wildcards: [
            facet.name for facet in ENCODED_FACETS[wildcards.source]
        ],
        representing=representing_methods,
        objectives=lambda wildcards: {
            name: objective.shown
            for name, objective in OBJECTIVES[wildcards.source].items()
        },
        settings={
            name: config[name]
            for name in ("max_sites", "graphs", "images", "composition")
        },
        forms=FORMS,
        table=lambda wildcards: config["tables"].get(wildcards.source),
        files=named_files,
    script:
        script_path("bundle_cells")


rule bundles:
    input:
        bundles_of_run,
        # Nothing depends on them, but they are printed before anything is trained.
        expand(rules.describe_objectives.output.statistics, source=SOURCES),
