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


def trainings_of_run():
    """Return the records of networks and encodings that facets come from, each with its place."""
    found = []
    for source in SOURCES:
        encoded = [facet.name for facet in ENCODED_FACETS[source]]
        kinds = {rules.encode_facet.output.record: encoded}
        if GRAPH in FACETS_OF[source]:
            kinds = {rules.fit_network.output.record: [GRAPH.name], **kinds}
        for pattern, facets in kinds.items():
            paths = splits_of_run(pattern, [source], facet=facets)
            found += zip(paths, places_of_run([source], facet=facets), strict=True)
    return found
