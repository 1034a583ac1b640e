# Parameter functions of rules/images.smk.

from polyfacet.facets.image.drawn_by import drawn_by


def what_draws(wildcards):
    """Return the browser build and WebGL back end, on which the bytes of a picture depend."""
    return _what_draws()


@cache
def _what_draws():
    return drawn_by(config["images"]["webgl"], config["images"]["browser"])
