# Predictions of all cells -> leakage audit, coverage of intervals, errors by group (docs/audit.md).


include: "functions/audit.smk"


rule audit_leakage:
    input:
        samples=expand(SAMPLE, source=SOURCES),
        splits=splits_of_run(rules.split_materials.output.split),
        twins=all_shards(rules.find_twins.output.twins) if HAS_CRYSTALS else [],
        trainings=[path for path, _ in trainings_of_run()],
        hub_encoders=[
            path for paths in hub_encoders_by_source().values() for path in paths
        ],
        cells_table=rules.collect_results.output.cells_table,
        predictions=rules.collect_results.output.predictions,
        scores=rules.collect_results.output.scores,
    output:
        audit=f"{EVALUATION}/audit.parquet",
        audit_parts=f"{EVALUATION}/audit_parts.parquet",
        floors=f"{EVALUATION}/floors.parquet",
        below_floor=f"{EVALUATION}/below_floor.parquet",
    log:
        f"{LOGS}/audit_leakage.log",
    benchmark:
        f"{BENCHMARKS}/audit_leakage.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", max(map(n_materials, SOURCES))),
    params:
        code=code_of_rule("audit_leakage"),
        packages=packages_of_rule("audit_leakage"),
        objectives={
            source: [objective.learned for objective in own.values()]
            for source, own in OBJECTIVES.items()
        },
        facets={
            source: [facet.name for facet in facets]
            for source, facets in FACETS_OF.items()
        },
        forms=FORMS,
        places=places_of_run(),
        trained_in=[place["source"] for _, place in trainings_of_run()],
        fetched_in=source_of_each(hub_encoders_by_source()),
        checkpoints=local_checkpoints_by_source(),
        fit=config["composition"]["fit"],
    script:
        script_path("audit_leakage")


rule assess_uncertainty:
    input:
        samples=expand(SAMPLE, source=SOURCES),
        cells_table=rules.collect_results.output.cells_table,
        predictions=rules.collect_results.output.predictions,
    output:
        intervals=f"{EVALUATION}/intervals.parquet",
        zeros=f"{EVALUATION}/zeros.parquet",
    log:
        f"{LOGS}/assess_uncertainty.log",
    benchmark:
        f"{BENCHMARKS}/assess_uncertainty.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", max(map(n_materials, SOURCES))),
    params:
        code=code_of_rule("assess_uncertainty"),
        packages=packages_of_rule("assess_uncertainty"),
        sources=SOURCES,
        with_zero={
            source: {
                name: list(objective.zero)
                for name, objective in own.items()
                if objective.zero
            }
            for source, own in OBJECTIVES.items()
        },
        fit=config["composition"]["fit"],
    script:
        script_path("assess_uncertainty")


rule describe_errors:
    input:
        samples=expand(SAMPLE, source=SOURCES),
        cells_table=rules.collect_results.output.cells_table,
        predictions=rules.collect_results.output.predictions,
        choices=rules.compare_methods.output.choices,
    output:
        errors_by_group=f"{EVALUATION}/errors_by_group.parquet",
        worst=f"{EVALUATION}/worst.parquet",
    log:
        f"{LOGS}/describe_errors.log",
    benchmark:
        f"{BENCHMARKS}/describe_errors.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", max(map(n_materials, SOURCES))),
    params:
        code=code_of_rule("describe_errors"),
        packages=packages_of_rule("describe_errors"),
        sources=SOURCES,
    script:
        script_path("describe_errors")
