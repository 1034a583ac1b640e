"""A plug-in facet that every other material lacks."""

from hashlib import sha256

from pymatgen.core import Composition

from polyfacet.facets.declaration import Facet, FacetError


def electronegativity(formula: str) -> list[float]:
    """Return the mean electronegativity and the mean row of the elements, for every other formula."""
    if sha256(formula.encode()).digest()[0] % 2:
        raise FacetError("not measured")
    composition = Composition(formula)
    rows = sum(element.row * share for element, share in composition.fractional_composition.items())
    return [float(composition.average_electroneg), float(rows)]


ELECTRONEGATIVITY = Facet("eneg", "electronegativity", "vector", needs="formula", make=electronegativity)
