# Raw entries or rows of a table -> a sample of checked materials, its twins, and its split into three parts.

from polyfacet.sources.strata import with_column
from polyfacet.splits.methods import SPLIT_METHODS


include: "functions/sample.smk"


rule sample:
    input:
        files=files_of_sources,
    output:
        sample=f"{RUN}/{CRYSTALS}/sample/sample.parquet",
        rejected=f"{RUN}/{CRYSTALS}/sample/rejected.parquet",
        summary=f"{RUN}/{CRYSTALS}/sample/summary.json",
    log:
        f"{LOGS}/{CRYSTALS}/sample.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/sample.tsv"
    conda:
        "../envs/crystals.yaml"
    # One entry file, or a thousand structure files, per thread.
    threads: 8
    resources:
        **requests("sample", n_materials(), steps=n_entries()),
    params:
        code=code_of_rule("sample"),
        packages=packages_of_rule("sample"),
        sources=lambda wildcards: config["sources"],
        state=state_of_sources,
        n_materials=config["n_materials"],
        seed=config["seed"],
        filters=config["filters"],
        stratify=with_column(config["stratify"], config["objectives"]),
        magnetization=config["magnetization"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("sample")


# A sample contains the predefined objectives; each other objective has its own table, so that adding one reruns only
# the stages that use it.
DERIVED_OBJECTIVES = derived_names(config["objectives"]) if config["sources"] else []
COLUMN_OBJECTIVES = column_objectives(config["objectives"]) if config["sources"] else {}
OBJECTIVE_TABLE = f"{RUN}/{CRYSTALS}/objectives/{{objective}}.parquet"
OBJECTIVE_REJECTS = f"{RUN}/{CRYSTALS}/objectives/{{objective}}.rejected.parquet"
OBJECTIVE_STATISTICS = f"{SOURCE}/sample/objectives.parquet"


# Jobs of this priority run first, so that errors and statistics of objectives are on screen before anything is trained.
OF_OBJECTIVES = 100


# Objectives of plug-ins.
rule derive_objective:
    input:
        sample=rules.sample.output.sample,
    output:
        table=OBJECTIVE_TABLE,
        rejected=OBJECTIVE_REJECTS,
    log:
        f"{LOGS}/{CRYSTALS}/objectives/{{objective}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/objectives/{{objective}}.tsv"
    wildcard_constraints:
        objective=one_of(set(DERIVED_OBJECTIVES) - set(COLUMN_OBJECTIVES)),
    priority: OF_OBJECTIVES
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=lambda wildcards: code_of_rule(
            "derive_objective", *CRYSTAL_OBJECTIVES.files_of([wildcards.objective])
        ),
        packages=lambda wildcards: packages_of_rule(
            "derive_objective", *CRYSTAL_OBJECTIVES.files_of([wildcards.objective])
        ),
        magnetization=config["magnetization"],
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("derive_objective")


# Objectives that are columns of the sources.
rule read_objective:
    input:
        sample=rules.sample.output.sample,
    output:
        table=OBJECTIVE_TABLE,
        rejected=OBJECTIVE_REJECTS,
    log:
        f"{LOGS}/{CRYSTALS}/objectives/{{objective}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/objectives/{{objective}}.tsv"
    wildcard_constraints:
        objective=one_of(COLUMN_OBJECTIVES),
    priority: OF_OBJECTIVES
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("read_objective"),
        packages=packages_of_rule("read_objective"),
        source_column=lambda wildcards: COLUMN_OBJECTIVES[
            wildcards.objective
        ].source_column,
        classes=lambda wildcards: list(
            COLUMN_OBJECTIVES[wildcards.objective].objective.classes
        ),
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("read_objective")


rule read_composition_table:
    input:
        file=lambda wildcards: of_user(config["tables"][wildcards.source]["file"]),
    output:
        sample=SAMPLE,
        rejected=f"{SOURCE}/sample/rejected.parquet",
        summary=f"{SOURCE}/sample/summary.json",
    log:
        f"{LOGS}/{{source}}/read_composition_table.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/read_composition_table.tsv"
    wildcard_constraints:
        source=one_of(config["tables"]),
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", TABLE_ROWS),
    params:
        code=code_of_rule("read_composition_table"),
        packages=packages_of_rule("read_composition_table"),
        state=lambda wildcards: state_of_files(
            [config["tables"][wildcards.source]["file"]]
        ),
        description=lambda wildcards: read_of_table(config["tables"][wildcards.source]),
        split_columns=lambda wildcards: columns_from_file(config, wildcards.source),
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("read_composition_table")


# Statistics of the objectives, on screen before anything is trained. Nothing may depend on them, not even `ancient`:
# Snakemake does not look for reasons to rerun a job below one that is rerun, and would miss other changes.
rule describe_objectives:
    input:
        sample=SAMPLE,
        derived=lambda wildcards: derived_objectives(wildcards.source),
    output:
        statistics=OBJECTIVE_STATISTICS,
    log:
        f"{LOGS}/{{source}}/describe_objectives.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/describe_objectives.tsv"
    priority: OF_OBJECTIVES
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of),
    params:
        code=code_of_rule("describe_objectives"),
        packages=packages_of_rule("describe_objectives"),
        objectives=lambda wildcards: [
            {**each.learned, **each.shown}
            for each in OBJECTIVES[wildcards.source].values()
        ],
    script:
        script_path("describe_objectives")


# All materials with the same formula, or with formulas that may be equal, are in one shard.
rule find_twins:
    input:
        sample=rules.sample.output.sample,
    output:
        twins=f"{RUN}/{CRYSTALS}/twins/shard-{{shard}}.parquet",
    log:
        f"{LOGS}/{CRYSTALS}/twins/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/twins/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("find_twins", materials_per_shard()),
    params:
        code=code_of_rule("find_twins"),
        packages=packages_of_rule("find_twins"),
        n_shards=n_shards(),
    script:
        script_path("find_twins")


rule split_materials:
    input:
        sample=SAMPLE,
        twins=twins_of_source,
        derived=lambda wildcards: derived_objectives(
            wildcards.source, [SPLITS[wildcards.split]["objective"]]
        ),
        file=lambda wildcards: of_user(SPLITS[wildcards.split]["file"]),
    output:
        split=f"{SPLIT}/split.parquet",
        coverage=f"{SPLIT}/split.coverage.json",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/split_materials.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/split_materials.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of),
    params:
        **{name: split_setting(name) for name in SPLIT_SETTINGS},
        code=lambda wildcards: code_of_rule(
            "split_materials", *code_of_split(wildcards)
        ),
        packages=lambda wildcards: packages_of_rule(
            "split_materials", *code_of_split(wildcards)
        ),
        method=split_method,
        # Compositions in tables have been rounded by their authors.
        rounded=lambda wildcards: wildcards.source != CRYSTALS,
        seed=config["seed"],
        state=lambda wildcards: state_of_files(
            filter(None, [SPLITS[wildcards.split]["file"]])
        ),
    script:
        script_path("split_materials")
