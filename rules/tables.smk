# Tables of compositions instead of crystals: rows -> splits -> images -> methods side by side -> comparison.

from polyfacet.training.methods import checked_methods
from polyfacet.sources.tables.description import table_source

TABLES = config["tables"]
COMPARISON = config["comparison"]
GROUPINGS = COMPARISON["splits"]
try:
    for name, section in TABLES.items():
        table_source(name, section)
    METHODS = checked_methods(config)
except UserError as error:
    raise WorkflowError(str(error))

# Rows to expect in a table, for what jobs ask for: more than the tables of this field have.
TABLE_ROWS = 10_000

TABLE = f"{RUN}/{{table}}"
TABLE_SPLIT = f"{TABLE}/{{grouping}}-{{repeat}}"
TABLE_LOGS = f"{LOGS}/{{table}}"
TABLE_BENCHMARKS = f"{BENCHMARKS}/{{table}}"


wildcard_constraints:
    table=r"[a-z][a-z0-9]*",
    grouping="|".join(GROUPINGS),
    engine=r"[a-z_]+",


def description_of(wildcards):
    """The file of a table, and what its columns mean."""
    return TABLES[wildcards.table]


rule read_composition_table:
    input:
        file=lambda wildcards: TABLES[wildcards.table]["file"],
    output:
        rows=f"{TABLE}/rows.parquet",
        rejected=f"{TABLE}/rows.rejected.parquet",
        summary=f"{TABLE}/summary.json",
    log:
        f"{TABLE_LOGS}/read_composition_table.log",
    benchmark:
        f"{TABLE_BENCHMARKS}/read_composition_table.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", TABLE_ROWS),
    params:
        code=code_of_rule("read_composition_table"),
        packages=packages_of_rule("read_composition_table"),
        state=lambda wildcards: state_of_files([TABLES[wildcards.table]["file"]]),
        description=description_of,
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("read_composition_table")


use rule split_materials as split_table with:
    input:
        sample=rules.read_composition_table.output.rows,
        file=config["split"]["file"] or [],
    output:
        split=f"{TABLE_SPLIT}/split.parquet",
    log:
        f"{TABLE_LOGS}/{{grouping}}-{{repeat}}/split_table.log",
    benchmark:
        f"{TABLE_BENCHMARKS}/{{grouping}}-{{repeat}}/split_table.tsv"
    resources:
        **requests("small", TABLE_ROWS),
    params:
        method=lambda wildcards: wildcards.grouping,
        rounded=True,


# A table is one shard.
use rule compute_composition_statistics as compute_table_statistics with:
    input:
        materials=rules.read_composition_table.output.rows,
        element_table=rules.build_element_table.output.element_table,
    output:
        table=f"{TABLE}/composition_statistics.parquet",
        rejected=f"{TABLE}/composition_statistics.rejected.parquet",
        provenance=f"{TABLE}/composition_statistics.provenance.json",
    log:
        f"{TABLE_LOGS}/compute_table_statistics.log",
    benchmark:
        f"{TABLE_BENCHMARKS}/compute_table_statistics.tsv"
    resources:
        **requests("small", TABLE_ROWS),
    params:
        kept=None,
        shard=0,
        n_shards=1,


use rule fit_grey_levels as fit_table_grey_levels with:
    input:
        statistics=rules.compute_table_statistics.output.table,
        split=rules.split_table.output.split,
    output:
        grey_levels=f"{TABLE_SPLIT}/grey_levels.json",
    log:
        f"{TABLE_LOGS}/{{grouping}}-{{repeat}}/fit_table_grey_levels.log",
    benchmark:
        f"{TABLE_BENCHMARKS}/{{grouping}}-{{repeat}}/fit_table_grey_levels.tsv"
    resources:
        **requests("small", TABLE_ROWS),


use rule draw_composition_images as draw_table_images with:
    input:
        statistics=rules.compute_table_statistics.output.table,
        grey_levels=rules.fit_table_grey_levels.output.grey_levels,
    output:
        images=directory(f"{TABLE_SPLIT}/composition_images"),
        manifest=f"{TABLE_SPLIT}/composition_images.parquet",
        provenance=f"{TABLE_SPLIT}/composition_images.provenance.json",
    log:
        f"{TABLE_LOGS}/{{grouping}}-{{repeat}}/draw_table_images.log",
    benchmark:
        f"{TABLE_BENCHMARKS}/{{grouping}}-{{repeat}}/draw_table_images.tsv"
    resources:
        **requests("small", TABLE_ROWS),
    params:
        kept=None,


rule assemble_table_dataset:
    input:
        rows=rules.read_composition_table.output.rows,
        split=rules.split_table.output.split,
        statistics=rules.compute_table_statistics.output.table,
        composition_images=rules.draw_table_images.output.manifest,
        composition_folder=rules.draw_table_images.output.images,
    output:
        dataset=f"{TABLE_SPLIT}/dataset.parquet",
    log:
        f"{TABLE_LOGS}/{{grouping}}-{{repeat}}/assemble_table_dataset.log",
    benchmark:
        f"{TABLE_BENCHMARKS}/{{grouping}}-{{repeat}}/assemble_table_dataset.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", TABLE_ROWS),
    params:
        code=code_of_rule("assemble_table_dataset"),
        packages=packages_of_rule("assemble_table_dataset"),
        description=description_of,
    script:
        script_path("assemble_table_dataset")


def methods_of(wildcards):
    """The methods that one job trains."""
    return {
        name: method
        for name, method in METHODS[wildcards.table].items()
        if method["engine"] == wildcards.engine
    }


rule train_methods:
    input:
        dataset=rules.assemble_table_dataset.output.dataset,
    output:
        cells=directory(f"{TABLE_SPLIT}/cells/{{engine}}"),
    log:
        f"{TABLE_LOGS}/{{grouping}}-{{repeat}}/cells/{{engine}}.log",
    benchmark:
        f"{TABLE_BENCHMARKS}/{{grouping}}-{{repeat}}/cells/{{engine}}.tsv"
    conda:
        "../envs/training.yaml"
    threads: config["engine"]["threads"]
    resources:
        **requests("train_ensemble", TABLE_ROWS),
    params:
        code=code_of_rule("train_methods"),
        packages=packages_of_rule("train_methods"),
        description=description_of,
        split_method=lambda wildcards: wildcards.grouping,
        methods=methods_of,
        seed=config["seed"],
    script:
        script_path("train_methods")


def trained_methods():
    """The cells of all jobs: a folder for each table, split and engine."""
    return [
        path
        for table in TABLES
        for path in expand(
            rules.train_methods.output.cells,
            table=table,
            grouping=GROUPINGS,
            repeat=REPEATS,
            engine=sorted({method["engine"] for method in METHODS[table].values()}),
        )
    ]


rule compare_methods:
    input:
        cells=trained_methods(),
    output:
        scores=f"{RUN}/report/scores.parquet",
        scores_csv=f"{RUN}/report/scores.csv",
        comparison_csv=f"{RUN}/report/comparison.csv",
    log:
        f"{LOGS}/compare_methods.log",
    benchmark:
        f"{BENCHMARKS}/compare_methods.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", 0),
    params:
        code=code_of_rule("compare_methods"),
        packages=packages_of_rule("compare_methods"),
        targets=[target for table in TABLES.values() for target in table["targets"]],
        methods=list(COMPARISON["methods"]),
        reference=COMPARISON["reference"],
    script:
        script_path("compare_methods")


rule plot_comparison:
    input:
        scores=rules.compare_methods.output.scores,
    output:
        figure=f"{RUN}/report/comparison.png",
    log:
        f"{LOGS}/plot_comparison.log",
    benchmark:
        f"{BENCHMARKS}/plot_comparison.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", 0),
    params:
        code=code_of_rule("plot_comparison"),
        packages=packages_of_rule("plot_comparison"),
        published=COMPARISON["published"],
    script:
        script_path("plot_comparison")


rule report_comparison:
    input:
        scores=rules.compare_methods.output.scores,
        figure=rules.plot_comparison.output.figure,
        summaries=expand(rules.read_composition_table.output.summary, table=TABLES),
        rejected_rows=expand(rules.read_composition_table.output.rejected, table=TABLES),
        rejected_images=expand(
            rules.compute_table_statistics.output.rejected, table=TABLES
        ),
    output:
        report=f"{RUN}/report/report.md",
        tables=f"{RUN}/report/tables.md",
    log:
        f"{LOGS}/report_comparison.log",
    benchmark:
        f"{BENCHMARKS}/report_comparison.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", 0),
    params:
        code=code_of_rule("report_comparison"),
        packages=packages_of_rule("report_comparison"),
        run_name=config["run_name"],
        reference=COMPARISON["reference"],
        published=COMPARISON["published"],
    script:
        script_path("report_comparison")


def comparison_results():
    """What a run on tables has made, by name."""
    return {
        "report": [rules.report_comparison.output.report],
        "tables": [rules.report_comparison.output.tables],
        "figure": [rules.plot_comparison.output.figure],
        "scores": [rules.compare_methods.output.comparison_csv],
    }


def comparison_files():
    """What a run on tables is for: the targets of `rule all`."""
    return [path for paths in comparison_results().values() for path in paths]
