# Input, parameter and resource functions of rules/facets.smk.


def names_of_facets(condition):
    """Return a regular expression for the facets with a function that meet a condition."""
    return one_of(name for name, facet in MADE_FACETS.items() if condition(facet))


def of_structure(wildcards):
    """Return whether the facet of a job is computed from structures."""
    return MADE_FACETS[wildcards.facet].needs == "structure"
