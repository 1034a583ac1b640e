# Functions that rules/sample.smk calls for inputs, parameters and resources of its rules.


def derived_objectives(source, names=None):
    """The tables of objectives of a source (all if none are named) that are not in its sample."""
    wanted = DERIVED_OBJECTIVES if source == CRYSTALS else []
    return [
        rules.derive_objective.output.table.format(objective=name)
        for name in wanted
        if names is None or name in names
    ]


def twins_of_source(wildcards):
    """What crystals stay together; rows of tables have no structures to compare."""
    is_crystals = wildcards.source == CRYSTALS
    return all_shards(rules.find_twins.output.twins) if is_crystals else []


def split_method(wildcards):
    """The name of the way to split of a job."""
    return SPLITS[wildcards.split]["method"]


def split_setting(name):
    """A setting of a job's split, as a parameter."""
    return lambda wildcards: SPLITS[wildcards.split][name]
