# Functions of rules/retrieval.smk.


def searched_facets():
    """Return the tables of retrieval of all foundations that represent facets, each once."""
    found = {}
    for source in SOURCES:
        for split, settings in splits_of_source(config, source).items():
            for repeat in range(settings["repeats"]):
                place = SimpleNamespace(source=source, split=split, repeat=repeat)
                for path in _searched_in(place):
                    found[path] = None
    return list(found)


def _searched_in(place):
    """Return the tables of retrieval of a repeat of a split."""
    methods = methods_of_repeat(METHODS[place.source], place.repeat)
    return [
        rules.search_facets.output.retrieval.format(
            source=place.source,
            split=place.split,
            repeat=place.repeat,
            foundation=FOUNDATIONS[place.source][name],
        )
        for name, method in methods.items()
        if ENGINES.get(method["engine"]).represents(method["settings"])
        and objectives_on_split(with_method(place, name))
    ]
