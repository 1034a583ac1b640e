# Functions that rules/images.smk calls for inputs, parameters and resources of its rules.

from polyfacet.facets.image.drawn_by import drawn_by


def what_draws(wildcards):
    """Browser build and WebGL back end, on which the bytes of a picture depend."""
    return _what_draws()


@cache
def _what_draws():
    return drawn_by(config["images"]["webgl"], config["images"]["browser"])
