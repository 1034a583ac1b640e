# Functions of rules/explanation.smk.

from polyfacet.training.engines.registry import explaining_files

# A test material is predicted so often: by random orders, those of contributions, and along integrals.
PREDICTIONS_PER_MATERIAL = 2_000


def explained_predictions():
    """Return the explanations of all foundations that can be explained, each once; none if none is asked for."""
    if config["explanations"] is None:
        return []
    found = {}
    for place in places_of_run():
        if place["repeat"] < config["explanations"]["repeats"]:
            for path in _explained_in(SimpleNamespace(**place)):
                found[path] = None
    return list(found)


def _explained_in(place):
    """Return the explanations of a repeat of a split."""
    methods = methods_of_repeat(METHODS[place.source], place.repeat)
    return [
        f"{SPLIT}/explanations/{{foundation}}".format(
            source=place.source,
            split=place.split,
            repeat=place.repeat,
            foundation=FOUNDATIONS[place.source][name],
        )
        for name in methods
        if is_explained(with_method(place, name))
    ]


def is_explained(wildcards):
    """Return whether the engine of a method can explain what it says of a facet of the method."""
    engine, method = engine_of(wildcards), method_of(wildcards)
    facets = {facet.base for facet in facets_of_job(wildcards)}
    can = facets.intersection(engine.explains(method["settings"]))
    return bool(engine.explained_by and can and objectives_on_split(wildcards))


def explaining_code(wildcards):
    """Return the files of the engine of a job's method, and of what explains it."""
    return (
        *engine_code(wildcards),
        *explaining_files(method_of(wildcards)["engine"]),
    )


def steps_of_explanation(wildcards):
    """Return the predictions that an explanation takes."""
    return config["explanations"]["materials"] * PREDICTIONS_PER_MATERIAL
