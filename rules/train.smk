# Facets, objectives and split -> trained cells, each with predictions, a card and a model.

from polyfacet.training.cells import NO_FACET
from polyfacet.training.encoders.own_checkpoints import (
    encoder_of,
    folder_state,
    local_folder,
    named_hyperparameters,
    own_checkpoints,
)
from polyfacet.training.engines.registry import engine_files, needs_statistics

ENCODERS = config["encoders"]["source"]
# Folders of the cells of a split, below which a method has one.
CELLS = f"{SPLIT}/cells"
METHOD_FILES = f"{SOURCE}/encoders/{{method}}"


def method_of(wildcards):
    """The method of a job: engine, combinations, settings."""
    return METHODS[wildcards.source][wildcards.method]


def own_checkpoints_of(source, name):
    """The checkpoints that the configuration names for a method, by facet."""
    settings = METHODS[source][name]["settings"]
    return own_checkpoints(
        facets_of_methods(source, [name]),
        config["encoders"]["checkpoints"],
        named_hyperparameters(settings),
    )


# Source and method to the folders of these checkpoints; None for one of the hub.
try:
    OWN_FOLDERS = {
        (source, name): {
            facet.name: local_folder(facet, checkpoint)
            for facet, checkpoint in own_checkpoints_of(source, name).items()
        }
        for source, methods in METHODS.items()
        for name, method in methods.items()
        if ENGINES.get(method["engine"]).encoders
    }
except UserError as error:
    raise WorkflowError(str(error))


def fetches_encoders(wildcards):
    """Whether a method takes encoders from the hub."""
    own = OWN_FOLDERS.get((wildcards.source, wildcards.method))
    return own is not None and (ENCODERS == "hub" or None in own.values())


rule make_local_encoders:
    output:
        encoders=directory(f"{RUN}/encoders"),
    log:
        f"{LOGS}/make_local_encoders.log",
    benchmark:
        f"{BENCHMARKS}/make_local_encoders.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests("make_local_encoders", 0),
    params:
        code=code_of_rule("make_local_encoders"),
        packages=packages_of_rule("make_local_encoders"),
        seed=config["seed"],
        text=config["encoders"]["text"],
        image=config["encoders"]["image"],
        compimage=config["encoders"]["compimage"],
    script:
        script_path("make_local_encoders")


# What is fetched stays in a folder that all runs share; this run's output says what it uses of it.
rule fetch_hub_encoders:
    output:
        record=f"{METHOD_FILES}/hub_encoders.json",
    log:
        f"{LOGS}/{{source}}/{{method}}/fetch_hub_encoders.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{method}}/fetch_hub_encoders.tsv"
    # Often only the machine that Snakemake was started on can reach the network.
    localrule: True
    conda:
        "../envs/training.yaml"
    params:
        code=code_of_rule("fetch_hub_encoders"),
        packages=packages_of_rule("fetch_hub_encoders"),
        cache=config["encoders"]["cache"],
        combinations=lambda wildcards: method_of(wildcards)["combinations"],
        settings=lambda wildcards: method_of(wildcards)["settings"],
        checkpoints=config["encoders"]["checkpoints"],
        own_only=ENCODERS == "local",
    script:
        script_path("fetch_hub_encoders")


def local_encoders(wildcards):
    """The local encoders, where a method starts from them."""
    has = (wildcards.source, wildcards.method) in OWN_FOLDERS and ENCODERS == "local"
    return rules.make_local_encoders.output.encoders if has else []


def hub_encoders(wildcards):
    """The record of the encoders of the hub, where a method starts from them."""
    if not fetches_encoders(wildcards):
        return []
    return rules.fetch_hub_encoders.output.record.format(**wildcards)


def tables_of_text(wildcards):
    """The tables of a text facet."""
    (files,) = files_of_stages([facet_named(wildcards.text)])
    return expand(
        files.table,
        shard=range(n_shards(wildcards.source)),
        source=wildcards.source,
    )


rule count_tokens:
    input:
        texts=tables_of_text,
        encoders=local_encoders,
        hub_encoders=hub_encoders,
    output:
        tokens=f"{METHOD_FILES}/tokens/{{text}}.json",
    log:
        f"{LOGS}/{{source}}/{{method}}/count_tokens/{{text}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{method}}/count_tokens/{{text}}.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests("make_local_encoders", materials_of),
    params:
        code=code_of_rule("count_tokens"),
        packages=packages_of_rule("count_tokens"),
        form=lambda wildcards: facet_named(wildcards.text).form
        or FORMS.get(wildcards.text, ""),
        checkpoint=lambda wildcards: OWN_FOLDERS[
            wildcards.source, wildcards.method
        ].get(wildcards.text),
        max_text_len=lambda wildcards: named_hyperparameters(
            method_of(wildcards)["settings"]
        ).get("model.hf_text.max_text_len"),
    script:
        script_path("count_tokens")


def facets_of_job(wildcards):
    """The facets that the cells of a job look at: of one combination, or of all of a method."""
    if hasattr(wildcards, "combination"):
        return facets_of(wildcards.combination)
    return facets_of_methods(wildcards.source, [wildcards.method])


def gpus_of_training(wildcards):
    """One GPU for a cell, or what the cells of a method share, that gains by it."""
    from_hub = config["encoders"]["source"] == "hub"
    gains = engine_of(wildcards).gains_by_gpu(facets_of_job(wildcards), from_hub)
    return 1 if HAS_GPUS and gains else None


def files_of_facets(attribute):
    """Files that the stages of a job's facets have made, of all shards, facet after facet."""

    def files(wildcards):
        return [
            path
            for files in files_of_stages(facets_of_job(wildcards))
            if getattr(files, attribute)
            for path in expand(
                getattr(files, attribute),
                shard=range(n_shards(wildcards.source)),
                source=wildcards.source,
                split=wildcards.split,
                repeat=wildcards.repeat,
            )
        ]

    return files


def counted_tokens(wildcards):
    """What says that a method's encoder knows its texts; a cell waits for it, and does not depend on it."""
    if (wildcards.source, wildcards.method) not in OWN_FOLDERS:
        return []
    return [
        rules.count_tokens.output.tokens.format(
            source=wildcards.source, method=wildcards.method, text=facet.name
        )
        for facet in facets_of_job(wildcards)
        if facet.kind == "text"
    ]


def statistics_of_job(wildcards):
    """The statistics of the compositions, where a method looks at them."""
    method = method_of(wildcards)
    if not needs_statistics(method["engine"], method["settings"]):
        return []
    return expand(
        rules.compute_composition_statistics.output.table,
        shard=range(n_shards(wildcards.source)),
        source=wildcards.source,
    )


def cells_of_job(wildcards):
    """The cells that a job trains: combination, objective, and the folder of each."""
    one = hasattr(wildcards, "combination")
    combinations = method_of(wildcards)["combinations"] or [NO_FACET]
    objectives = OBJECTIVES[wildcards.source]
    return [
        {
            "combination": combination,
            "objective": objectives[objective].learned,
            "folder": "." if one else f"{combination}/{objective}",
        }
        for combination in ([wildcards.combination] if one else combinations)
        for objective in ([wildcards.objective] if one else objectives)
    ]


def derived_objectives_of_job(wildcards):
    """The tables of those objectives of a job's cells that are not in the sample."""
    one = hasattr(wildcards, "objective")
    return derived_objectives(wildcards.source, [wildcards.objective] if one else None)


def place_of_job(wildcards):
    """Where the cells of a job are in the grid."""
    return {
        "run": config["run_name"],
        "source": wildcards.source,
        "split": wildcards.split,
        "split_method": split_method(wildcards),
        "repeat": wildcards.repeat,
        "method": wildcards.method,
    }


def checkpoints_of_job(wildcards):
    """The checkpoints of the configuration that concern the cells of a job."""
    named = config["encoders"]["checkpoints"]
    if (wildcards.source, wildcards.method) not in OWN_FOLDERS:
        return {}
    encoders = [
        encoder_of(facet)
        for facet in facets_of_job(wildcards)
        if facet.kind != "vector"
    ]
    return {name: named[name] for name in encoders if named.get(name)}


def checkpoint_files_of_job(wildcards):
    """What the local checkpoints of a job are, for Snakemake to see a change behind their names."""
    folders = OWN_FOLDERS.get((wildcards.source, wildcards.method), {})
    found = {facet.name: folders.get(facet.name) for facet in facets_of_job(wildcards)}
    return {facet: folder_state(folder) for facet, folder in found.items() if folder}


def names_of_methods(condition):
    """A regular expression of the methods whose engine a condition is true of."""
    names = {
        name
        for methods in METHODS.values()
        for name, method in methods.items()
        if condition(ENGINES.get(method["engine"]))
    }
    return "|".join(sorted(names)) or "nothing"


def engine_code(wildcards):
    """Files of the engine of a job's method, which the script that trains imports by name."""
    method = method_of(wildcards)
    return engine_files(method["engine"], method["settings"])


# What all cells of a method on a split share, where its engine has such.
rule pretrain_engine:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=files_of_facets("table"),
        pictures=files_of_facets("pictures"),
        encoders=local_encoders,
        hub_encoders=hub_encoders,
        tokens=ancient(counted_tokens),
        statistics=statistics_of_job,
    output:
        foundation=directory(f"{SPLIT}/foundations/{{method}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/foundations/{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/foundations/{{method}}.tsv"
    wildcard_constraints:
        method=names_of_methods(lambda engine: engine.foundation),
    conda:
        "../envs/training.yaml"
    threads: config["training"]["threads"]
    resources:
        **requests(
            cost_of_training,
            materials_of,
            steps=training_steps,
            gpus=gpus_of_training,
        ),
    params:
        code=lambda wildcards: code_of_rule("pretrain_engine", *engine_code(wildcards)),
        packages=lambda wildcards: packages_of_rule(
            "pretrain_engine", *engine_code(wildcards)
        ),
        facets=lambda wildcards: [facet.name for facet in facets_of_job(wildcards)],
        engine=lambda wildcards: method_of(wildcards)["engine"],
        settings=lambda wildcards: method_of(wildcards)["settings"],
        checkpoints=checkpoints_of_job,
        checkpoint_files=checkpoint_files_of_job,
        seed=config["seed"],
    script:
        script_path("pretrain_engine")


def foundation_of_job(wildcards):
    """The foundation of a job's method on its split; nothing for an engine without one."""
    if not engine_of(wildcards).foundation:
        return []
    return rules.pretrain_engine.output.foundation.format(**wildcards)


rule train_cell:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=files_of_facets("table"),
        pictures=files_of_facets("pictures"),
        encoders=local_encoders,
        hub_encoders=hub_encoders,
        tokens=ancient(counted_tokens),
        statistics=statistics_of_job,
        derived=derived_objectives_of_job,
        foundation=foundation_of_job,
    output:
        cells=directory(f"{CELLS}/{{method}}/{{combination}}/{{objective}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}/{{combination}}/{{objective}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}/{{combination}}/{{objective}}.tsv"
    wildcard_constraints:
        method=names_of_methods(lambda engine: not engine.cheap),
    conda:
        "../envs/training.yaml"
    threads: config["training"]["threads"]
    resources:
        **requests(
            cost_of_training,
            materials_of,
            steps=training_steps,
            gpus=gpus_of_training,
        ),
    params:
        code=lambda wildcards: code_of_rule("train_cells", *engine_code(wildcards)),
        packages=lambda wildcards: packages_of_rule(
            "train_cells", *engine_code(wildcards)
        ),
        place=place_of_job,
        facets=lambda wildcards: [facet.name for facet in facets_of_job(wildcards)],
        grid=cells_of_job,
        engine=lambda wildcards: method_of(wildcards)["engine"],
        settings=lambda wildcards: method_of(wildcards)["settings"],
        text=config["composition"]["text"],
        checkpoints=checkpoints_of_job,
        checkpoint_files=checkpoint_files_of_job,
        keep_models=config["training"]["keep_models"],
        leaks=config["training"]["leaks"],
        seed=config["seed"],
    script:
        script_path("train_cells")


# All cells of a method: each of them takes less time than the start of a process.
use rule train_cell as train_method with:
    output:
        cells=directory(f"{CELLS}/{{method}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}.tsv"
    wildcard_constraints:
        method=names_of_methods(lambda engine: engine.cheap),
    resources:
        **requests(cost_of_training, materials_of, steps=training_steps),


def trained_cells():
    """The folders of all cells of the run."""
    return [
        path
        for source, methods in METHODS.items()
        for name, method in methods.items()
        for path in splits_of_run(
            (
                rules.train_method.output.cells
                if ENGINES.get(method["engine"]).cheap
                else rules.train_cell.output.cells
            ),
            sources=[source],
            method=name,
            combination=method["combinations"] or [NO_FACET],
            objective=list(OBJECTIVES[source]),
        )
    ]
