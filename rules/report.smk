# Evaluation -> the report with its figures and tables; also the closing message of a run.


include: "functions/report.smk"


REPORT = f"{RUN}/report"


rule tabulate_results:
    input:
        cells_table=rules.collect_results.output.cells_table,
        scores=rules.collect_results.output.scores,
    output:
        mae_csv=f"{REPORT}/mae.csv",
        mase_csv=f"{REPORT}/mase.csv",
        tables=f"{REPORT}/tables.md",
    log:
        f"{LOGS}/tabulate_results.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_results.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", 0),
    params:
        code=code_of_rule("tabulate_results"),
        packages=packages_of_rule("tabulate_results"),
        reference=config["report"]["reference"],
        published=config["report"]["published"],
    script:
        script_path("tabulate_results")


rule draw_contact_sheet:
    input:
        dataset=lambda wildcards: dataset_with_pictures(),
    output:
        sheet=report(
            f"{REPORT}/contact_sheet.png",
            caption="../workflow/report/contact_sheet.rst",
            category="Pictures",
            labels={"content": "Structure pictures"},
        ),
    log:
        f"{LOGS}/draw_contact_sheet.log",
    benchmark:
        f"{BENCHMARKS}/draw_contact_sheet.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("draw_contact_sheet"),
        packages=packages_of_rule("draw_contact_sheet"),
        n_pictures=100,
    script:
        script_path("draw_contact_sheet")


CRYSTALS_IF_ANY = [CRYSTALS] if HAS_CRYSTALS else []
SHOWS_PICTURES = any(IMAGE in facets for facets in FACETS_OF.values())
SHOWS_COMPOSITION_IMAGES = any(COMPIMAGE in facets for facets in FACETS_OF.values())


rule write_report:
    input:
        evaluation=evaluation_of_run(),
        retrieval=searched_facets("retrieval"),
        geometry=searched_facets("geometry"),
        explanations=explained_predictions(),
        sample=rules.sample.output.sample if HAS_CRYSTALS else [],
        statistics=expand(rules.describe_objectives.output.statistics, source=SOURCES),
        summaries=expand(f"{SOURCE}/sample/summary.json", source=SOURCES),
        rejected_rows=expand(
            f"{SOURCE}/sample/rejected.parquet", source=config["tables"]
        ),
        splits=splits_of_run(rules.split_materials.output.split, CRYSTALS_IF_ANY),
        coverages=splits_of_run(rules.split_materials.output.coverage),
        networks=(
            splits_of_run(rules.fit_network.output.record, CRYSTALS_IF_ANY)
            if GRAPH in FACETS_OF.get(CRYSTALS, ())
            else []
        ),
        twins=all_shards(rules.find_twins.output.twins) if HAS_CRYSTALS else [],
        tokens=counted_tokens_of_run(),
        dataset=dataset_with_pictures() if SHOWS_PICTURES else [],
        sheet=rules.draw_contact_sheet.output.sheet if SHOWS_PICTURES else [],
        legend=(
            rules.draw_composition_legend.output.legend
            if SHOWS_COMPOSITION_IMAGES
            else []
        ),
        rejected=[
            *expand(OBJECTIVE_REJECTS, objective=DERIVED_OBJECTIVES),
            *structures_of_run(rules.write_structures.output.rejected),
            *of_stages("rejected"),
        ],
        provenance=[
            *structures_of_run(rules.write_structures.output.provenance),
            *of_stages("provenance"),
            *of_stages("provenance_of_split"),
        ],
    output:
        report=report(
            f"{REPORT}/report.html",
            caption="../workflow/report/page.rst",
            category="Report",
            labels={"content": "All results on one page"},
        ),
        figures=report(
            directory(f"{REPORT}/figures"),
            patterns=["{figure}.svg"],
            caption="../workflow/report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        tables=report(
            directory(f"{REPORT}/tables"),
            patterns=["{table}.csv"],
            caption="../workflow/report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        twins_csv=f"{REPORT}/twins.csv",
    log:
        f"{LOGS}/write_report.log",
    benchmark:
        f"{BENCHMARKS}/write_report.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", max(map(n_materials, SOURCES))),
    params:
        code=code_of_rule("write_report"),
        packages=packages_of_rule("write_report"),
        run_name=config["run_name"],
        seed=config["seed"],
        published=config["report"]["published"],
        configuration=configuration_of_run,
        skipped=SKIPPED,
    script:
        script_path("write_report")
