# Input and parameter functions of rules/evaluation.smk, and of rules/audit.smk.


def places_of_run(sources=None, **wildcards):
    """Return source, split and repeat of each split of the run, in the order of `splits_of_run`.

    Wildcards multiply them as they multiply the files.
    """
    names = ("source", "split", "repeat")
    pattern = "|".join(f"{{{name}}}" for name in (*names, *wildcards))
    found = [
        dict(zip(names, place.split("|")))
        for place in splits_of_run(pattern, sources, **wildcards)
    ]
    return [{**place, "repeat": int(place["repeat"])} for place in found]


def records_of_trainings(source):
    """Return the patterns of the records of networks and encodings that facets of a source come from, each
    with its facets.
    """
    encoded = [facet.name for facet in ENCODED_FACETS[source]]
    kinds = {rules.encode_facet.output.record: encoded}
    if GRAPH in FACETS_OF[source]:
        kinds = {rules.fit_network.output.record: [GRAPH.name], **kinds}
    return kinds


def trainings_of_run():
    """Return the records of networks and encodings that facets come from, each with its place."""
    found = []
    for source in SOURCES:
        for pattern, facets in records_of_trainings(source).items():
            paths = splits_of_run(pattern, [source], facet=facets)
            found += zip(paths, places_of_run([source], facet=facets), strict=True)
    return found


def trainings_of_repeat(wildcards):
    """Return the records of networks and encodings that facets of one repeat come from."""
    return [
        path
        for pattern, facets in records_of_trainings(wildcards.source).items()
        for path in expand(pattern, **wildcards, facet=facets)
    ]


def place_of(wildcards):
    """Return source, split and repeat of a job."""
    place = {name: getattr(wildcards, name) for name in ("source", "split")}
    return {**place, "repeat": int(wildcards.repeat)}


def shown_objectives(source):
    """Return label and unit of each objective of a source."""
    return {name: objective.shown for name, objective in OBJECTIVES[source].items()}
