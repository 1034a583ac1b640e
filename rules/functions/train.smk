# Input, parameter and resource functions of rules/train.smk.

from types import SimpleNamespace

from polyfacet.training.cells import NO_FACET
from polyfacet.training.encoders.own_checkpoints import (
    encoder_of,
    folder_state,
    own_checkpoints,
)
from polyfacet.training.shared_foundations import (
    foundation_name,
    settings_of_foundation,
)
from polyfacet.training.engines.registry import (
    engine_files,
    needs_graphs,
    needs_statistics,
)


def method_of(wildcards):
    """Return the method of a job: engine, combinations, settings."""
    return METHODS[wildcards.source][wildcards.method]


def own_checkpoints_of(source, name):
    """Return the checkpoints that the configuration names for a method, by facet."""
    settings = METHODS[source][name]["settings"]
    return own_checkpoints(
        facets_of_methods(source, [name]),
        config["encoders"]["checkpoints"],
        named_hyperparameters(settings),
    )


def fetches_encoders(wildcards):
    """Return whether a method uses encoders from the hub."""
    own = OWN_FOLDERS.get((wildcards.source, wildcards.method))
    return own is not None and (ENCODERS == "hub" or None in own.values())


def local_encoders(wildcards):
    """Return the local encoders, if a method starts from them."""
    has = (wildcards.source, wildcards.method) in OWN_FOLDERS and ENCODERS == "local"
    return rules.make_local_encoders.output.encoders if has else []


def hub_encoders(wildcards):
    """Return the record of the encoders from the hub, if a method starts from them."""
    if not fetches_encoders(wildcards):
        return []
    return rules.fetch_hub_encoders.output.record.format(
        source=wildcards.source, method=wildcards.method
    )


def tables_of_text(wildcards):
    """Return the tables of a text facet."""
    (files,) = files_of_stages([facet_named(wildcards.text)])
    return expand(
        files.table,
        shard=range(n_shards(wildcards.source)),
        source=wildcards.source,
    )


def facets_of_job(wildcards):
    """Return the facets that the cells of a job use: of one combination, or of all those of a method."""
    if hasattr(wildcards, "combination"):
        return facets_of(wildcards.combination)
    return facets_of_methods(wildcards.source, [wildcards.method])


def gpus_of_training(wildcards):
    """Request one GPU for cells, or for the foundation of a method, if training benefits from it."""
    from_hub = config["encoders"]["source"] == "hub"
    gains = engine_of(wildcards).gains_by_gpu(facets_of_job(wildcards), from_hub)
    return 1 if HAS_GPUS and gains else None


def files_of_facets(attribute):
    """Return an input function for the files of a job's facets, for all shards, ordered by facet."""

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
    """Return the files that confirm that a method's encoder knows its texts; changes in them rerun no cell."""
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
    """Return the composition statistics, if a method uses them."""
    method = method_of(wildcards)
    every = every_settings(method)
    if not any(needs_statistics(method["engine"], settings) for settings in every):
        return []
    return expand(
        rules.compute_composition_statistics.output.table,
        shard=range(n_shards(wildcards.source)),
        source=wildcards.source,
    )


def graphs_of_job(wildcards):
    """Return the crystal graphs, if a method trains a network on them."""
    method = method_of(wildcards)
    reads = any(needs_graphs(method["engine"], each) for each in every_settings(method))
    if not reads or GRAPH not in facets_of_job(wildcards):
        return []
    return expand(rules.build_graphs.output.graphs, shard=range(n_shards()))


def combinations_of_job(wildcards):
    """Return the combinations of a job: one, or all of its method."""
    one = getattr(wildcards, "combination", None)
    return [one] if one else method_of(wildcards)["combinations"] or [NO_FACET]


def objectives_of_job(wildcards):
    """Return the objectives of a job: one, or all of its method on its split."""
    one = getattr(wildcards, "objective", None)
    return [one] if one else objectives_on_split(wildcards)


def objectives_on_split(wildcards):
    """Return the objectives of the cells of a job's method on its split."""
    return objectives_of_split(SPLITS[wildcards.split], method_of(wildcards))


def is_batch(wildcards):
    """Return whether a job trains the cells of one combination for all objectives."""
    return hasattr(wildcards, "combination") and not hasattr(wildcards, "objective")


def cells_of_job(wildcards):
    """Return the cells that a job trains.

    Each has its combination, its objective, its folder relative to that of the job, and its settings where they
    are not those of the method.
    """
    own_settings = method_of(wildcards)["settings_of_objectives"]
    levels = ("combination", "objective")
    free = [level for level in levels if not hasattr(wildcards, level)]
    cells = [
        {"combination": combination, "objective": objective}
        for combination in combinations_of_job(wildcards)
        for objective in objectives_of_job(wildcards)
    ]
    return [
        {
            "combination": cell["combination"],
            "objective": OBJECTIVES[wildcards.source][cell["objective"]].learned,
            "folder": str(Path(*(cell[level] for level in free))),
            **(
                {"settings": own_settings[cell["objective"]]}
                if cell["objective"] in own_settings
                else {}
            ),
        }
        for cell in cells
    ]


def kept_cells(wildcards, output):
    """Return the folder that keeps the cells of a batch for later runs; None for other jobs."""
    if not is_batch(wildcards):
        return None
    return kept_folder(output[0])


def derived_objectives_of_job(wildcards):
    """Return the tables of those objectives of a job's cells that are not in the sample."""
    return derived_objectives(wildcards.source, objectives_of_job(wildcards))


def place_of_job(wildcards):
    """Return the position of a job's cells in the grid."""
    return {
        "run": config["run_name"],
        "source": wildcards.source,
        "split": wildcards.split,
        "split_method": split_method(wildcards),
        "repeat": wildcards.repeat,
        "method": wildcards.method,
    }


def checkpoints_of_job(wildcards):
    """Return the configured checkpoints that the cells of a job use."""
    named = config["encoders"]["checkpoints"]
    if (wildcards.source, wildcards.method) not in OWN_FOLDERS:
        return {}
    encoders = [
        encoder_of(facet)
        for facet in facets_of_job(wildcards)
        if facet.kind != "vector"
    ]
    return {name: named[name] for name in encoders if named.get(name)}


def max_text_lens_of_job(wildcards):
    """Return AutoGluon's limits of text length in the settings of a job's method; None where there is none."""
    every = map(named_hyperparameters, every_settings(method_of(wildcards)))
    return list(dict.fromkeys(each.get("model.hf_text.max_text_len") for each in every))


def checkpoint_files_of_job(wildcards):
    """Return the states of a job's local checkpoints, so that Snakemake notices changed contents."""
    folders = OWN_FOLDERS.get((wildcards.source, wildcards.method), {})
    found = {facet.name: folders.get(facet.name) for facet in facets_of_job(wildcards)}
    own = {facet: folder_state(folder) for facet, folder in found.items() if folder}
    every = map(engine_of(wildcards).files, every_settings(method_of(wildcards)))
    files = list(dict.fromkeys(file for files in every for file in files))
    return own | ({"files": state_of_files(files)} if files else {})


def names_of_methods(condition):
    """Return a regular expression for the methods that meet a condition on source and method."""
    names = {
        name
        for source, methods in METHODS.items()
        for name in methods
        if condition(SimpleNamespace(source=source, method=name))
    }
    return one_of(sorted(names))


def trains_at_once(wildcards):
    """Return whether one job trains all cells of a method, because each takes less time than its start."""
    engine = engine_of(wildcards)
    return engine.cheap and not engine.blends


def trains_in_batches(wildcards):
    """Return whether one job trains all cells of a combination, because each takes only minutes.

    Only for crystals: the number of rows of a table is unknown before it is read, so each cell is a job.
    """
    if wildcards.source != CRYSTALS or engine_of(wildcards).cheap:
        return False
    return minutes_of_training(wildcards) <= MAX_MINUTES_IN_BATCH


def engine_code(wildcards):
    """Return the files of the engine of a job's method, which the training script imports by name."""
    method = method_of(wildcards)
    every = [engine_files(method["engine"], each) for each in every_settings(method)]
    return tuple(dict.fromkeys(file for files in every for file in files))


# Name of the foundation of each method that has one, by source.
FOUNDATIONS = {
    source: {
        name: foundation_name(
            method,
            [facet.name for facet in facets_of_methods(source, [name])],
            config["methods"][name]["objectives"],
        )
        for name, method in methods.items()
        if ENGINES.get(method["engine"]).foundation
    }
    for source, methods in METHODS.items()
}


def foundation_of_job(wildcards):
    """Return the foundation of a job's method on its split; empty for engines without one."""
    name = FOUNDATIONS[wildcards.source].get(wildcards.method)
    if name is None:
        return []
    return rules.pretrain_engine.output.foundation.format(
        source=wildcards.source,
        split=wildcards.split,
        repeat=wildcards.repeat,
        foundation=name,
    )


def of_foundation(function):
    """Return a function of the wildcards of a foundation, given one of those of any method that has it."""

    def of_method(wildcards):
        names = FOUNDATIONS[wildcards.source]
        first = next(name for name in names if names[name] == wildcards.foundation)
        return function(with_method(wildcards, first))

    return of_method


def threads_of_foundation(wildcards):
    """Return the processes that train the foundation of a job's method, or the threads of one process."""
    settings = method_of(wildcards)["settings"]
    return settings.get("processes", config["training"]["threads"])


def learns_foundation(wildcards):
    """Return whether the foundation of a job's method learns from the objectives."""
    return engine_of(wildcards).foundation_learns


def objectives_of_foundation(wildcards):
    """Return the objectives that the foundation of a job's method learns from on its split."""
    if not learns_foundation(wildcards):
        return []
    own = OBJECTIVES[wildcards.source]
    return [own[name].learned for name in objectives_on_split(wildcards)]


def derived_objectives_of_foundation(wildcards):
    """Return the tables of those of these objectives that are not in the sample."""
    return derived_objectives_of_job(wildcards) if learns_foundation(wildcards) else []


def folder_of_training(wildcards):
    """Return the pattern of the folder that a job writes for cells of a method on a split."""
    engine = engine_of(wildcards)
    if engine.blends:
        return rules.blend_cells.output.cells
    if engine.cheap:
        return rules.train_method.output.cells
    in_batches = SPLITS[wildcards.split]["objective"] is None and trains_in_batches(
        wildcards
    )
    trained_by = rules.train_combination if in_batches else rules.train_cell
    return trained_by.output.cells


def cells_of_method(wildcards, combinations):
    """Return the folders that jobs write for the cells of a method on a repeat of a split."""
    objectives = objectives_on_split(wildcards)
    if not objectives:
        return []
    return expand(
        folder_of_training(wildcards),
        source=wildcards.source,
        split=wildcards.split,
        repeat=wildcards.repeat,
        method=wildcards.method,
        combination=combinations,
        objective=objectives,
    )


def cells_of_split(wildcards):
    """Return the folders that jobs write for all cells of a repeat of a split."""
    methods = methods_of_repeat(METHODS[wildcards.source], int(wildcards.repeat))
    return [
        path
        for name, method in methods.items()
        for path in cells_of_method(
            with_method(wildcards, name), method["combinations"] or [NO_FACET]
        )
    ]


def with_method(wildcards, name):
    """Return the wildcards of a job on a split, with a method."""
    return SimpleNamespace(
        source=wildcards.source,
        split=wildcards.split,
        repeat=wildcards.repeat,
        method=name,
    )


def trained_cells():
    """Return the folders of all cells of the run."""
    return [
        path
        for source in SOURCES
        for split, settings in splits_of_source(config, source).items()
        for repeat in range(settings["repeats"])
        for path in cells_of_split(
            SimpleNamespace(source=source, split=split, repeat=repeat)
        )
    ]
