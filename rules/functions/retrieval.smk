# Functions of rules/retrieval.smk.


def searched_facets(output):
    """Return the tables of an output of `search_facets`, of all foundations that represent facets, each once."""
    found = {}
    for source in SOURCES:
        for split, settings in splits_of_source(config, source).items():
            for repeat in range(settings["repeats"]):
                place = SimpleNamespace(source=source, split=split, repeat=repeat)
                for name in representing_methods(place):
                    found[
                        of_method(
                            getattr(rules.search_facets.output, output), place, name
                        )
                    ] = None
    return list(found)


def representing_methods(wildcards):
    """Return the methods with cells on a repeat of a split whose foundation represents materials."""
    methods = methods_of_repeat(METHODS[wildcards.source], int(wildcards.repeat))
    return [
        name
        for name, method in methods.items()
        if ENGINES.get(method["engine"]).represents(method["settings"])
        and objectives_on_split(with_method(wildcards, name))
    ]


def of_method(pattern, wildcards, name):
    """Return the file of a method's foundation on a split."""
    return pattern.format(
        source=wildcards.source,
        split=wildcards.split,
        repeat=wildcards.repeat,
        foundation=FOUNDATIONS[wildcards.source][name],
    )


def representations_of_split(wildcards):
    """Return the representations by the foundation of each method of a split that has them."""
    return [
        of_method(rules.represent_materials.output.representations, wildcards, name)
        for name in representing_methods(wildcards)
    ]


def columns_of_known_values(wildcards):
    """Return the columns of a source's objectives, and whether they are numbers."""
    own = OBJECTIVES[wildcards.source].values()
    return {objective.column: not objective.classes for objective in own}


def tables_of_known_values(wildcards):
    """Return the tables of those objectives of a source that are not in the sample."""
    return derived_objectives(wildcards.source, OBJECTIVES[wildcards.source])
