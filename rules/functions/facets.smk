# Functions that rules/facets.smk calls for inputs, parameters and resources of its rules.


def names_of_facets(condition):
    """A regular expression of the facets with a function that a condition is true of."""
    names = [name for name, facet in MADE_FACETS.items() if condition(facet)]
    return "|".join(names) or "nothing"


def of_structure(wildcards):
    """Whether the facet of a job is made of structures."""
    return MADE_FACETS[wildcards.facet].needs == "structure"
