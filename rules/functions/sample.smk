# Input and parameter functions of rules/sample.smk.


def derived_objectives(source, names=None):
    """Return the tables of those objectives of a source (all by default) that are not in its sample."""
    wanted = DERIVED_OBJECTIVES if source == CRYSTALS else []
    return [
        OBJECTIVE_TABLE.format(objective=name)
        for name in wanted
        if names is None or name in names
    ]


def twins_of_source(wildcards):
    """Return the tables of twins, which stay together in a split; tables have no structures to compare."""
    is_crystals = wildcards.source == CRYSTALS
    return all_shards(rules.find_twins.output.twins) if is_crystals else []


def split_method(wildcards):
    """Return the name of the split method of a job."""
    return SPLITS[wildcards.split]["method"]


# Fields of `SplitSettings` that a split of the configuration has, apart from its file.
SPLIT_SETTINGS = (
    "train_fraction",
    "validation_fraction",
    "random_state",
    "column",
    "objective",
    "n_folds",
)


def split_setting(name):
    """Return a parameter function for a setting of a job's split."""
    return lambda wildcards: SPLITS[wildcards.split][name]


def split_settings(wildcards):
    """Return the fields of `SplitSettings` of a split of the crystals."""
    own = SPLITS[wildcards.split]
    return {name: own[name] for name in (*SPLIT_SETTINGS, "file")} | {
        "seed": config["seed"],
        "repeat": int(wildcards.repeat),
    }


def code_of_split(wildcards):
    """Return the files of the split method of a job, if it is from a plug-in."""
    return SPLIT_METHODS.files_of([split_method(wildcards)])
