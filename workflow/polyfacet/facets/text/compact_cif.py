"""A crystal as a short CIF: conventional cell, inequivalent sites, rounded numbers."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import spglib
from pymatgen.core import Element, Lattice, Structure

# How far a site may be from where symmetry wants it, A.
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
    """A structure that has no compact CIF; the message is the reason."""


def compact_cif(structure: Structure) -> str:
    """Write a structure as a short CIF.

    The cell is spglib's standard one (conventional, idealised) in the setting that the Hall symbol names; of
    each orbit the site with the smallest coordinates stands for all.  The origin is spglib's choice, which
    another cell of the same crystal may turn to an equivalent one.

    Parameters
    ----------
    structure
        Ordered, in any cell.

    Raises
    ------
    CompactCifError
        If a site is shared, or no symmetry can be found.
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
    cell = (structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), numbers)
    try:
        symmetry = spglib.get_symmetry_dataset(cell, symprec=SYMPREC_A)
    except spglib.SpglibError as error:
        raise CompactCifError(f"symmetry cannot be determined: {error}") from error
    if symmetry is None:
        raise CompactCifError(f"symmetry cannot be determined to {SYMPREC_A} A")
    return symmetry


def _sites(symmetry: spglib.SpglibDataset) -> Iterator[str]:
    """Write a line for each orbit, those of high symmetry first."""
    # Both cells name the atoms of the primitive one, which links the given atoms to the standard ones.
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
    """Round a position and bring it into the cell; what rounds to 1 is 0."""
    return tuple(np.round(position, COORDINATE_DECIMALS) % 1.0 % 1.0)


def _number(value: float, decimals: int) -> str:
    """Write a number with as few digits as its rounding leaves."""
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")
