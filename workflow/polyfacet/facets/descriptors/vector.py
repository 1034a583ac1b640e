"""All descriptors of a crystal, in any cell."""

from pymatgen.core import Structure

from polyfacet.facets.declaration import FacetError
from polyfacet.facets.descriptors.composition import composition_descriptors
from polyfacet.facets.descriptors.lattice import lattice_descriptors
from polyfacet.facets.descriptors.neighbours import neighbour_descriptors
from polyfacet.facets.descriptors.symmetry import symmetry_descriptors
from polyfacet.materials.crystal import crystal_from_structure, primitive_crystal

# Further decimals are rounding errors, which depend on the choice of the cell, and noise of the relaxation:
# in a cubic crystal, b/a may be 1.00000002.
DECIMALS = 5


def descriptors(structure: Structure) -> list[float]:
    """Return the descriptors of a crystal, in the order of `named_descriptors`.

    Raises
    ------
    FacetError
        If a site is shared or partially occupied, an element has no properties, atoms coincide or are far
        from all others, or the symmetry cannot be determined.
    """
    return [round(value, DECIMALS) for value in named_descriptors(structure).values()]


def named_descriptors(structure: Structure) -> dict[str, float]:
    """Return the descriptors of a crystal by name; they do not depend on the choice of its cell.

    Raises
    ------
    FacetError
        See `descriptors`.
    """
    try:
        crystal = primitive_crystal(crystal_from_structure(structure))
        return {
            **composition_descriptors(crystal),
            **lattice_descriptors(crystal),
            **symmetry_descriptors(crystal),
            **neighbour_descriptors(crystal),
        }
    except ValueError as error:
        raise FacetError(str(error)) from error
