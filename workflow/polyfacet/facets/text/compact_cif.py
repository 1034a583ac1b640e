"""A crystal as a short CIF: conventional cell, inequivalent sites, rounded numbers."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import spglib
from pymatgen.core import Element, Lattice, Structure

from polyfacet.materials.symmetry import SymmetryError, symmetry_of

# Tolerated distance of a site from its symmetric position, A.
SYMPREC_A = 0.01
LENGTH_DECIMALS = 3
ANGLE_DECIMALS = 2
COORDINATE_DECIMALS = 4

CELL = (
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
)
SITE = (
    "_atom_site_type_symbol",
    "_atom_site_symmetry_multiplicity",
    "_atom_site_Wyckoff_symbol",
    "_atom_site_fract_x",
    "_atom_site_fract_y",
    "_atom_site_fract_z",
)


class CompactCifError(ValueError):
    """A structure cannot be written as a compact CIF; the message is the reason."""


def compact_cif(structure: Structure) -> str:
    """Write a structure as a short CIF.

    The cell is spglib's standard one (conventional, idealised) in the setting of the Hall symbol; each orbit
    is represented by its site with the smallest coordinates.  spglib chooses the origin; for another cell of
    the same crystal it may choose an equivalent one.

    Parameters
    ----------
    structure
        Ordered structure, in any cell.

    Raises
    ------
    CompactCifError
        If a site is shared or partially occupied, or the symmetry cannot be determined.
    """
    if not structure.is_ordered:
        raise CompactCifError("a site is shared by several elements or not always occupied")
    symmetry = _symmetry(structure)
    lattice = Lattice(symmetry.std_lattice)
    lengths = [_number(length, LENGTH_DECIMALS) for length in lattice.lengths]
    angles = [_number(angle, ANGLE_DECIMALS) for angle in lattice.angles]
    lines = [
        f"data_{structure.composition.reduced_formula}",
        f"_space_group_name_H-M_alt '{symmetry.international}'",
        f"_space_group_name_Hall '{symmetry.hall}'",
        *(f"{name} {value}" for name, value in zip(CELL, [*lengths, *angles], strict=True)),
        "loop_",
        *SITE,
        *_sites(symmetry),
    ]
    return "\n".join(lines) + "\n"


def _symmetry(structure: Structure) -> spglib.SpglibDataset:
    numbers = [site.specie.Z for site in structure]
    lattice, positions = structure.lattice.matrix.tolist(), structure.frac_coords.tolist()
    try:
        return symmetry_of(lattice, positions, numbers, SYMPREC_A)
    except SymmetryError as error:
        raise CompactCifError(str(error)) from error


def _sites(symmetry: spglib.SpglibDataset) -> Iterator[str]:
    """Write one line per orbit, by increasing multiplicity."""
    # Both cells map to the primitive cell, which links the given atoms to those of the standard cell.
    given = symmetry.mapping_to_primitive
    orbit_of = dict(zip(given, symmetry.crystallographic_orbits, strict=True))
    letter_of = dict(zip(given, symmetry.wyckoffs, strict=True))
    orbits = defaultdict(list)
    for atom, position, number in zip(
        symmetry.std_mapping_to_primitive, symmetry.std_positions, symmetry.std_types, strict=True
    ):
        orbits[orbit_of[atom], letter_of[atom], number].append(_wrapped(position))
    rows = [(len(places), letter, number, min(places)) for (_, letter, number), places in orbits.items()]
    for multiplicity, letter, number, place in sorted(rows):
        coordinates = " ".join(_number(x, COORDINATE_DECIMALS) for x in place)
        yield f"{Element.from_Z(number).symbol} {multiplicity} {letter} {coordinates}"


def _wrapped(position: Sequence[float]) -> tuple[float, ...]:
    """Round a position and wrap it into the cell; a coordinate that rounds to 1 becomes 0."""
    return tuple(np.round(position, COORDINATE_DECIMALS) % 1.0 % 1.0)


def _number(value: float, decimals: int) -> str:
    """Format a rounded number without trailing zeros."""
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")
