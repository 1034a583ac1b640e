"""Groups by the symmetry of structures: space groups and prototypes.

Both are computed from the structure: not every source states them, and those that do differ in tolerance.
"""

import json
import logging
import math
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction

import pandas as pd

logger = logging.getLogger(__name__)

# Tolerance of positions, A: that of the Materials Project, whose structures are relaxed, too.
SYMMETRY_WITHIN_A = 0.1
# Decimals of occupancies.
DECIMALS = 3

# The space groups that are mirror images of one with a lower number (International Tables, volume A, 2016).
ENANTIOMORPHS = {
    78: 76, 95: 91, 96: 92, 145: 144, 153: 151, 154: 152, 170: 169, 172: 171, 179: 178, 181: 180, 213: 212
}  # fmt: skip

# Occupancies of a kind of site, and the number of sites in each of its orbits.
Kind = tuple[tuple[float, ...], list[int]]


def by_space_group(materials: pd.DataFrame) -> dict[str, str]:
    """Group materials by space group: mat_id to group.

    Parameters
    ----------
    materials
        ``mat_id``, ``formula`` and ``structure`` (JSON of a pymatgen Structure).
    """
    return _grouped(materials, lambda number, kinds: f"space group {number}")


def by_prototype(materials: pd.DataFrame) -> dict[str, str]:
    """Group materials by prototype: space group, anonymous formula and occupied orbits.

    Parameters
    ----------
    materials
        ``mat_id``, ``formula`` and ``structure`` (JSON of a pymatgen Structure).

    Notes
    -----
    Elements count by their atoms per formula unit in each orbit, not by name: rock salt is ``225: 1, 1``,
    fluorite ``225: 1, 2``.  Wyckoff letters are left out: they depend on the choice of the origin, and could
    divide a prototype.
    """
    return _grouped(materials, prototype)


def prototype(number: int, kinds: list[Kind]) -> str:
    """Name a prototype by its space group and, for each kind of site, the sites per formula unit.

    Mirror images are one prototype: of two enantiomorphic space groups, the lower number stands for both.
    """
    n_units = math.gcd(*(sum(sizes) for _, sizes in kinds))
    parts = sorted(
        "+".join(str(Fraction(size, n_units)) for size in sorted(sizes)) + _shared(occupancies)
        for occupancies, sizes in kinds
    )
    return f"{ENANTIOMORPHS.get(number, number)}: {', '.join(parts)}"


def _shared(occupancies: tuple[float, ...]) -> str:
    """Write the occupancies of sites that are shared or partly empty."""
    return "" if occupancies == (1.0,) else f" of {'/'.join(f'{each:g}' for each in occupancies)}"


def _grouped(materials: pd.DataFrame, name: Callable[[int, list[Kind]], str]) -> dict[str, str]:
    groups: dict[str, str] = {}
    unknown = []
    for mat_id, formula, structure in materials[["mat_id", "formula", "structure"]].itertuples(index=False):
        found = _orbits(structure)
        groups[mat_id] = f"unknown symmetry: {formula}" if found is None else name(*found)
        if found is None:
            unknown.append(mat_id)
    if unknown:
        logger.warning(
            "spglib finds no symmetry of %d materials, such as %s: they are grouped by formula",
            len(unknown),
            unknown[0],
        )
    return groups


def _orbits(written: str) -> tuple[int, list[Kind]] | None:
    """Return the space group number and the kinds of sites of a structure; None if no symmetry is found."""
    # Planning a run reads the declarations and must not import spglib and pymatgen.
    from pymatgen.core import Structure  # noqa: PLC0415

    from polyfacet.materials.symmetry import SymmetryError, symmetry_of  # noqa: PLC0415

    structure = Structure.from_dict(json.loads(written))
    kinds = [site.species for site in structure]
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    of_sites = [numbers[kind] for kind in kinds]
    lattice, positions = structure.lattice.matrix.tolist(), structure.frac_coords.tolist()
    try:
        symmetry = symmetry_of(lattice, positions, of_sites, SYMMETRY_WITHIN_A)
    except SymmetryError:
        return None
    sizes: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for number, orbit in zip(of_sites, symmetry.crystallographic_orbits, strict=True):
        sizes[number][int(orbit)] += 1
    occupancies = [tuple(sorted(round(float(n), DECIMALS) for n in kind.values())) for kind in numbers]
    return int(symmetry.number), [(occupancies[n], list(orbits.values())) for n, orbits in sizes.items()]
