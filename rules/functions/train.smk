# Input, parameter and resource functions of rules/train.smk.

from types import SimpleNamespace

from polyfacet.training.cells import NO_FACET
from polyfacet.training.encoders.own_checkpoints import (
    encoder_of,
    folder_state,
    own_checkpoints,
)
from polyfacet.training.engines.registry import engine_files, needs_statistics


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
    return rules.fetch_hub_encoders.output.record.format(**wildcards)


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
    if not needs_statistics(method["engine"], method["settings"]):
        return []
    return expand(
        rules.compute_composition_statistics.output.table,
        shard=range(n_shards(wildcards.source)),
        source=wildcards.source,
    )


def combinations_of_job(wildcards):
    """Return the combinations of a job: one, or all of its method."""
    one = getattr(wildcards, "combination", None)
    return [one] if one else method_of(wildcards)["combinations"] or [NO_FACET]


def objectives_of_job(wildcards):
    """Return the objectives of a job: one, or all of its split."""
    one = getattr(wildcards, "objective", None)
    return [one] if one else objectives_on_split(wildcards)


def objectives_on_split(wildcards):
    """Return the objectives of the cells on a job's split."""
    return objectives_of_split(SPLITS[wildcards.split], OBJECTIVES[wildcards.source])


def is_batch(wildcards):
    """Return whether a job trains the cells of one combination for all objectives."""
    return hasattr(wildcards, "combination") and not hasattr(wildcards, "objective")


def folder_of_job(wildcards, output):
    """Return the folder of a job's cells: that of one cell, a combination or a method."""
    first = Path(output[0])
    return str(first.parent if is_batch(wildcards) else first)


def cells_of_job(wildcards):
    """Return the cells that a job trains: combination, objective, and folder relative to that of the job."""
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
        }
        for cell in cells
    ]


def kept_cells(wildcards, output):
    """Return the folder that keeps the cells of a batch for later runs; None for other jobs."""
    if not is_batch(wildcards):
        return None
    return kept_folder(folder_of_job(wildcards, output))


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


def checkpoint_files_of_job(wildcards):
    """Return the states of a job's local checkpoints, so that Snakemake notices changed contents."""
    folders = OWN_FOLDERS.get((wildcards.source, wildcards.method), {})
    found = {facet.name: folders.get(facet.name) for facet in facets_of_job(wildcards)}
    return {facet: folder_state(folder) for facet, folder in found.items() if folder}


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
    return engine_files(method["engine"], method["settings"])


def foundation_of_job(wildcards):
    """Return the foundation of a job's method on its split; empty for engines without one."""
    if not engine_of(wildcards).foundation:
        return []
    return rules.pretrain_engine.output.foundation.format(**wildcards)


def folder_of_training(method):
    """Return the pattern of the folder that a job writes for cells of a method."""
    engine = ENGINES.get(method["engine"])
    if engine.blends:
        return rules.blend_cells.output.cells
    trained_by = rules.train_method if engine.cheap else rules.train_cell
    return trained_by.output.trained


def cells_of_split(wildcards):
    """Return the folders of all cells of a repeat of a split."""
    methods = methods_of_repeat(METHODS[wildcards.source], int(wildcards.repeat))
    return [
        path
        for name, method in methods.items()
        for path in expand(
            folder_of_training(method),
            source=wildcards.source,
            split=wildcards.split,
            repeat=wildcards.repeat,
            method=name,
            combination=method["combinations"] or [NO_FACET],
            objective=objectives_on_split(wildcards),
        )
    ]


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
