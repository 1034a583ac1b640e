"""Check that an entry's redundant statements agree with its structure.

The space group and the prototype are not checked: they depend on tolerances that entries do not state.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.sources.alexandria.entry_energies import check_energies
from polyfacet.sources.structure_checks import HEAVY_HYDROGEN, MAX_FRACTIONAL, element_of
from polyfacet.sources.values import InvalidEntryError, given, given_whole, number, shown

# Tolerances: relative for volumes and lengths, absolute for angles and positions.  Entries are written with
# five digits or more.
LENGTH_WITHIN = 1e-3
ANGLE_WITHIN_DEG = 0.1
POSITION_WITHIN_A = 0.01
# Atoms in a fully occupied cell; otherwise fractions of all atoms, which are written with two decimals.
ATOMS_WITHIN = 1e-2
SHARE_WITHIN = 5e-3
# Fractions if both sides are whole numbers of atoms, up to 1000.
WHOLE_SHARE_WITHIN = 1e-6

# Keys of the formula, including those of the Materials Project and pymatgen.
FORMULAS = ("formula", "formula_pretty", "reduced_formula")
# Hydrogen, D and T; every facet treats all of them as hydrogen.
HYDROGEN_ISOTOPES = 3


@dataclass(frozen=True)
class Cell:
    """Quantities derived from an entry's structure.

    Parameters
    ----------
    formula
        Reduced formula.
    amounts
        Atoms per cell by symbol.
    added
        Atoms per cell by symbol that were added to fill sites (see `EntrySites`).
    matrix
        Lattice vectors as rows, A.
    volume
        Volume of the cell, A^3.
    positions
        Fractional coordinates of the sites.
    """

    formula: str
    amounts: Mapping[str, float]
    added: Mapping[str, float]
    matrix: Sequence[Sequence[float]]
    volume: float
    positions: Sequence[Sequence[float]]

    @property
    def n_atoms(self) -> float:
        """Atoms per cell; a half-occupied site counts as half an atom."""
        return math.fsum(self.amounts.values())

    @property
    def stated_amounts(self) -> dict[str, float]:
        """Atoms per cell by symbol: sums of the occupancies before any site was filled."""
        return {symbol: amount - self.added.get(symbol, 0.0) for symbol, amount in self.amounts.items()}


def check_agreement(entry: Mapping[str, Any], data: Mapping[str, Any], cell: Cell) -> None:
    """Compare the statements of an entry with its structure and with each other.

    Parameters
    ----------
    entry, data
        The raw entry and its data block; missing statements, None and empty compositions are not compared.
    cell
        Quantities derived from its structure.

    Raises
    ------
    InvalidEntryError
        At the first contradiction.
    """
    for place in (entry, data):
        _check_composition(place, cell)
        _check_counts(place, cell)
        _check_close(given(place, "volume"), cell.volume, "volume")
    _check_lattice(entry["structure"], cell)
    check_energies(entry, data, cell.n_atoms, math.fsum(cell.stated_amounts.values()))


def _check_composition(place: Mapping[str, Any], cell: Cell) -> None:
    """Compare the formulas and amounts of an entry or of its data block with the structure."""
    for key in FORMULAS:
        formula = given(place, key)
        if formula is not None and not isinstance(formula, str):
            raise InvalidEntryError(f"{key} is {shown(formula)}, not a text")
        if formula and formula != cell.formula:
            _check_formula(formula, key, cell)
    for key, check in (("composition", _check_amounts), ("composition_reduced", _check_shares)):
        composition = given(place, key)
        if isinstance(composition, str):
            _check_formula(composition, key, cell)
        elif composition:
            check(composition, cell)


def _check_counts(place: Mapping[str, Any], cell: Cell) -> None:
    """Compare the elements and the numbers of elements, sites and atoms with the structure."""
    elements = given(place, "elements")
    if elements is not None and not isinstance(elements, list):
        raise InvalidEntryError(f"elements is {shown(elements)}, not a list")
    _check_elements(elements, "elements are", cell)
    # Pymatgen counts the isotopes of hydrogen as separate elements, but writes all of them as H.
    n_isotopes = min(HYDROGEN_ISOTOPES, max(1, math.floor(cell.amounts.get("H", 1.0))))
    n_elements = given_whole(place, "nelements")
    if n_elements not in (None, *range(len(cell.amounts), len(cell.amounts) + n_isotopes)):
        raise InvalidEntryError(f"nelements is {n_elements}, but the structure has {len(cell.amounts)}")
    chemsys = given(place, "chemsys")
    if chemsys is not None and not isinstance(chemsys, str):
        raise InvalidEntryError(f"chemsys is {shown(chemsys)}, not a text")
    if chemsys is not None:
        _check_elements(chemsys.split("-"), "chemsys is", cell, shown(chemsys))
    n_sites = len(cell.positions)
    for key in ("nsites", "num_sites"):
        stated = given_whole(place, key)
        if stated not in (None, n_sites):
            raise InvalidEntryError(f"{key} is {stated}, but the structure has {n_sites} sites")
    n_atoms = given(place, "n_atoms")
    # Sources count the sites or the atoms on them, before or after sites were filled.
    possible = (n_sites, cell.n_atoms, math.fsum(cell.stated_amounts.values()))
    if n_atoms is not None and not any(
        abs(number(n_atoms, "n_atoms") - found) <= ATOMS_WITHIN for found in possible
    ):
        raise InvalidEntryError(f"n_atoms is {n_atoms}, but the structure has {cell.n_atoms:g} atoms")


def _check_shares(stated: Any, cell: Cell) -> None:
    """Compare the amounts of a formula unit with those of the structure."""
    found = _found_amounts(stated, "composition_reduced", cell)
    within = SHARE_WITHIN
    if _are_whole(found) and _are_whole(cell.amounts):
        within = WHOLE_SHARE_WITHIN
    same = found.keys() == cell.amounts.keys() and _shares_are_close(found, cell.amounts, within)
    if not same and not _are_stated(found, cell):
        was = f"composition_reduced is {_listed(found)}"
        raise InvalidEntryError(f"{was}, but the structure is {_listed(cell.amounts)}")


def _check_formula(text: str, what: str, cell: Cell) -> None:
    try:
        stated = parse_formula(HEAVY_HYDROGEN.sub("H", text))
    except FormulaError as error:
        raise InvalidEntryError(f"{what} cannot be read: {error}") from error
    formula = reduced_formula(stated)
    if formula != cell.formula and not _same_shares(stated, cell.amounts) and not _are_stated(stated, cell):
        raise InvalidEntryError(f"{what} is {text[:80]!r}, but the structure is {cell.formula}")


def _same_shares(stated: Mapping[str, float], amounts: Mapping[str, float]) -> bool:
    """Return whether fractional amounts equal those of the structure within their rounding."""
    if stated.keys() != amounts.keys() or (_are_whole(stated) and _are_whole(amounts)):
        return False
    return _shares_are_close(stated, amounts)


def _are_stated(stated: Mapping[str, float], cell: Cell) -> bool:
    """Return whether amounts equal the occupancies before rounding was corrected."""
    amounts = cell.stated_amounts
    return bool(cell.added) and stated.keys() == amounts.keys() and _shares_are_close(stated, amounts)


def _shares_are_close(
    stated: Mapping[str, float], amounts: Mapping[str, float], within: float = SHARE_WITHIN
) -> bool:
    total, all_stated = sum(amounts.values()), sum(stated.values())
    return all_stated > 0 and all(
        abs(stated[symbol] / all_stated - amounts[symbol] / total) <= within for symbol in stated
    )


def _are_whole(amounts: Mapping[str, float]) -> bool:
    return all(abs(amount - round(amount)) <= ATOMS_WITHIN for amount in amounts.values())


def _check_amounts(stated: Any, cell: Cell) -> None:
    """Compare the amounts of a cell, by symbol or species, with those of the structure."""
    found = _found_amounts(stated, "composition", cell)
    within = ATOMS_WITHIN if _are_whole(cell.amounts) else SHARE_WITHIN * cell.n_atoms
    for symbol in found.keys() | cell.amounts.keys():
        # The source may have summed the occupancies before or after sites were filled.
        allowed = within + abs(cell.added.get(symbol, 0.0))
        if abs(found.get(symbol, 0.0) - cell.amounts.get(symbol, 0.0)) > allowed:
            was = f"composition is {_listed(found)}"
            raise InvalidEntryError(f"{was}, but the structure is {_listed(cell.amounts)}")


def _found_amounts(stated: Any, what: str, cell: Cell) -> dict[str, float]:
    if not isinstance(stated, dict):
        raise InvalidEntryError(f"{what} is {shown(stated)}, not amounts of elements")
    found: dict[str, float] = {}
    for species, amount in stated.items():
        symbol = species if species in cell.amounts else _symbol(species, what)
        found[symbol] = found.get(symbol, 0.0) + number(amount, f"{what} of {symbol}")
    return found


def _symbol(species: str, what: str) -> str:
    """Return the element of a species, ignoring its charge."""
    symbol = element_of(species)
    if symbol is None:
        raise InvalidEntryError(f"{what} names {shown(species)}, not an element")
    return symbol


def _check_elements(names: Sequence[Any] | None, what: str, cell: Cell, text: str = "") -> None:
    if names is None:
        return
    stated = {HEAVY_HYDROGEN.sub("H", name) if isinstance(name, str) else None for name in names}
    if stated != cell.amounts.keys():
        text = text or f"[{', '.join(map(shown, names))[:80]}]"
        raise InvalidEntryError(f"{what} {text}, but the structure holds {', '.join(sorted(cell.amounts))}")


def _check_lattice(structure: Mapping[str, Any], cell: Cell) -> None:
    lattice = structure["lattice"]
    lengths = [math.hypot(*row) for row in cell.matrix]
    _check_close(lattice.get("volume"), cell.volume, "lattice volume")
    for name, length in zip("abc", lengths, strict=True):
        _check_close(lattice.get(name), length, f"lattice {name}")
    for name, angle in zip(("alpha", "beta", "gamma"), _angles(cell.matrix, lengths), strict=True):
        stated = lattice.get(name)
        if stated is not None and not abs(number(stated, f"lattice {name}") - angle) <= ANGLE_WITHIN_DEG:
            raise InvalidEntryError(f"lattice {name} is {stated}, but the lattice has {angle:.4g}")
    _check_positions(structure["sites"], cell)


def _check_positions(sites: Sequence[Mapping[str, Any]], cell: Cell) -> None:
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = cell.matrix
    for index, (site, (u, v, w)) in enumerate(zip(sites, cell.positions, strict=True)):
        stated = site.get("xyz")
        if stated is None:
            continue
        place = (u * ax + v * bx + w * cx, u * ay + v * by + w * cy, u * az + v * bz + w * cz)
        if not isinstance(stated, list) or len(stated) != 3:
            raise InvalidEntryError(f"xyz of site {index} is not a list of three numbers")
        x, y, z = stated
        # The fast path: nearly all positions are floats and close.  Others are examined below.
        if (
            type(x) is type(y) is type(z) is float
            and abs(x - place[0]) <= POSITION_WITHIN_A
            and abs(y - place[1]) <= POSITION_WITHIN_A
            and abs(z - place[2]) <= POSITION_WITHIN_A
        ):
            continue
        found = [number(value, f"xyz of site {index}") for value in stated]
        if not _is_an_image(found, place, cell.matrix):
            raise InvalidEntryError(
                f"xyz of site {index} has {_shown(found)}, but its abc and the lattice give {_shown(place)}"
            )


def _is_an_image(stated: Sequence[float], place: Sequence[float], matrix: Sequence[Sequence[float]]) -> bool:
    """Return whether two positions are equal up to lattice vectors: `abc` may be wrapped into the cell."""
    away = np.subtract(stated, place)
    cells = np.round(np.linalg.solve(np.transpose(matrix), away))
    # Far from the origin, the precision of a number no longer resolves the position in the cell.
    if not np.abs(cells).max() <= MAX_FRACTIONAL:
        return False
    return bool(np.abs(away - cells @ np.array(matrix)).max() <= POSITION_WITHIN_A)


def _shown(position: Sequence[float]) -> str:
    return f"[{', '.join(f'{value:.4g}' for value in position)}]"


def _angles(matrix: Sequence[Sequence[float]], lengths: Sequence[float]) -> Iterator[float]:
    for i, j in ((1, 2), (0, 2), (0, 1)):
        (x, y, z), (u, v, w) = matrix[i], matrix[j]
        product = x * u + y * v + z * w
        yield math.degrees(math.acos(max(-1.0, min(1.0, product / (lengths[i] * lengths[j])))))


def _check_close(stated: Any, found: float, what: str) -> None:
    if stated is not None and not abs(number(stated, what) - found) <= LENGTH_WITHIN * found:
        raise InvalidEntryError(f"{what} is {stated}, but the lattice has {found:.4g}")


def _listed(amounts: Mapping[str, float]) -> str:
    return " ".join(f"{symbol}{amount:g}" for symbol, amount in sorted(amounts.items()))[:80]
