# Predictions of all cells -> scores, tested comparisons, contributions of the facets.


include: "functions/evaluation.smk"


EVALUATION = f"{RUN}/evaluation"


rule collect_results:
    input:
        cells=trained_cells(),
        samples=expand(SAMPLE, source=SOURCES),
        trainings=[path for path, _ in trainings_of_run()],
    output:
        cells_table=f"{EVALUATION}/cells.parquet",
        predictions=f"{EVALUATION}/predictions.parquet",
        validation=f"{EVALUATION}/validation.parquet",
        scores=f"{EVALUATION}/scores.parquet",
        summary=f"{EVALUATION}/summary.parquet",
    log:
        f"{LOGS}/collect_results.log",
    benchmark:
        f"{BENCHMARKS}/collect_results.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", max(map(n_materials, SOURCES))),
    params:
        code=code_of_rule("collect_results"),
        packages=packages_of_rule("collect_results"),
        reference=config["report"]["reference"],
        objectives={source: shown_objectives(source) for source in SOURCES},
        forms=FORMS,
        trained_in=[place for _, place in trainings_of_run()],
        seed=config["seed"],
    script:
        script_path("collect_results")


# The scores of one repeat alone: `polyfacet study` keeps them where the cells are not kept.
use rule collect_results as score_repeat with:
    input:
        cells=cells_of_split,
        samples=SAMPLE,
        trainings=trainings_of_repeat,
    output:
        cells_table=f"{SPLIT}/scores/cells.parquet",
        predictions=f"{SPLIT}/scores/predictions.parquet",
        validation=f"{SPLIT}/scores/validation.parquet",
        scores=f"{SPLIT}/scores/scores.parquet",
        summary=f"{SPLIT}/scores/summary.parquet",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/score_repeat.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/score_repeat.tsv"
    params:
        code=code_of_rule("collect_results"),
        packages=packages_of_rule("collect_results"),
        reference=config["report"]["reference"],
        objectives=lambda wildcards: {
            wildcards.source: shown_objectives(wildcards.source)
        },
        forms=FORMS,
        trained_in=lambda wildcards: [
            place_of(wildcards) for _ in trainings_of_repeat(wildcards)
        ],
        seed=config["seed"],


rule compare_methods:
    input:
        cells_table=rules.collect_results.output.cells_table,
        validation=rules.collect_results.output.validation,
        scores=rules.collect_results.output.scores,
    output:
        choices=f"{EVALUATION}/choices.parquet",
        tests=f"{EVALUATION}/tests.parquet",
    log:
        f"{LOGS}/compare_methods.log",
    benchmark:
        f"{BENCHMARKS}/compare_methods.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", max(map(n_materials, SOURCES))),
    params:
        code=code_of_rule("compare_methods"),
        packages=packages_of_rule("compare_methods"),
    script:
        script_path("compare_methods")


rule attribute_to_facets:
    input:
        cells_table=rules.collect_results.output.cells_table,
        validation=rules.collect_results.output.validation,
        scores=rules.collect_results.output.scores,
    output:
        contributions=f"{EVALUATION}/contributions.parquet",
        interactions=f"{EVALUATION}/interactions.parquet",
    log:
        f"{LOGS}/attribute_to_facets.log",
    benchmark:
        f"{BENCHMARKS}/attribute_to_facets.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", max(map(n_materials, SOURCES))),
    params:
        code=code_of_rule("attribute_to_facets"),
        packages=packages_of_rule("attribute_to_facets"),
    script:
        script_path("attribute_to_facets")
