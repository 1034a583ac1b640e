"""A facet in one file: numbers that describe how densely a crystal is packed."""

import numpy as np
from pymatgen.core import Structure

from polyfacet.facets.declaration import Facet, FacetError


def packing(structure: Structure) -> list[float]:
    """Return density (g/cm^3), volume per atom (A^3) and the volume fraction of atomic spheres."""
    radii = [species.atomic_radius for site in structure for species in site.species]
    if None in radii:
        raise FacetError("an element has no atomic radius")
    spheres = 4 / 3 * np.pi * sum(float(radius) ** 3 for radius in radii)
    return [float(structure.density), structure.volume / len(structure), spheres / structure.volume]


PACKING = Facet("packing", "packing", "vector", needs="structure", make=packing)
