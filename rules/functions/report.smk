# Input functions of rules/report.smk and the messages at the end of a run.


def of_stages(attribute):
    """Return the files with rejects or provenance of the stages of all facets of the run, each once."""
    return list(
        dict.fromkeys(
            path
            for source in SOURCES
            for files in files_of_stages(FACETS_OF[source])
            for pattern in [getattr(files, attribute)]
            if pattern
            for path in splits_of_run(pattern, [source], shard=range(n_shards(source)))
        )
    )


def counted_tokens_of_run():
    """Return the token counts of all methods with text encoders."""
    return [
        rules.count_tokens.output.tokens.format(
            source=source, method=name, text=facet.name
        )
        for source, name in OWN_FOLDERS
        for facet in facets_of_methods(source, [name])
        if facet.kind == "text"
    ]


def structures_of_run(pattern):
    """Return the files of the stage that writes CIFs, if a facet uses them."""
    structural = any(
        needs_structure(facet, FORMS) for facet in FACETS_OF.get(CRYSTALS, ())
    )
    return all_shards(pattern) if structural else []


# Rules that evaluate a run; their Parquet files are the tables of the report.
EVALUATING = (
    "collect_results",
    "compare_methods",
    "attribute_to_facets",
    "audit_leakage",
    "assess_uncertainty",
    "describe_errors",
)


def evaluation_of_run():
    """Return the tables of the evaluation, each named after what it holds."""
    return [
        path
        for name in EVALUATING
        for path in getattr(rules, name).output
        if path.endswith(".parquet")
    ]


def dataset_with_pictures():
    """Return the dataset of the first split of the crystals, which has the structure pictures."""
    return splits_of_run(rules.gather_dataset.output.metadata, [CRYSTALS])[0]


def configuration_of_run(wildcards, threads):
    """Return the configuration, which the report shows. Changing it must not rewrite the report by itself:
    Snakemake does not compare parameters that depend on `threads`.
    """
    return dict(config)


def results_of_run():
    """Return the final results of a run by name."""
    return {
        "report": [rules.write_report.output.report],
        "tables": [rules.tabulate_results.output.tables],
        "figures": [rules.write_report.output.figures],
        "pictures": [rules.draw_contact_sheet.output.sheet] if SHOWS_PICTURES else [],
        "scores": [rules.write_report.output.tables],
        "tests": [rules.compare_methods.output.tests],
        "facets": [rules.attribute_to_facets.output.contributions],
        "leakage": [rules.audit_leakage.output.audit],
        "intervals": [rules.assess_uncertainty.output.intervals],
        "errors": [rules.describe_errors.output.errors_by_group],
        "dataset": splits_of_run(rules.gather_dataset.output.metadata),
    }


def closing_message():
    """Return the message at the end of a run: where the results are (perhaps only some of them)."""
    made = [
        (name, f"{Path(path).parent}/" if name == "dataset" else path)
        for name, paths in results_of_run().items()
        for path in paths
        if Path(path).exists()
    ]
    made += results_of_pictures()
    return "\n".join(["", "Done.", *(f"  {name:9} {path}" for name, path in made)])


def failure_message(snakemake_log):
    """Return the message after a failure: where the reason is and what to do."""
    return (
        f"\nThe run stopped. The reason is above and in the log of the rule under {LOGS}/ "
        f"(Snakemake's own log: {snakemake_log}).\n"
        "Finished results are kept: fix the cause and run the same command again."
    )
