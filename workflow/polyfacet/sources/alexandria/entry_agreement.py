"""Check that an entry's redundant statements agree with its structure.

The space group and the prototype are not checked: they depend on tolerances that entries do not state.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.sources.alexandria.entry_energies import check_energies
from polyfacet.sources.cell_agreement import (
    ATOMS_WITHIN,
    SHARE_WITHIN,
    Cell,
    are_stated,
    are_whole,
    check_close,
    check_lattice,
    shares_are_close,
)
from polyfacet.sources.structure_checks import HEAVY_HYDROGEN, element_of
from polyfacet.sources.values import InvalidEntryError, given, given_whole, number, shown

# Fractions if both sides are whole numbers of atoms, up to 1000.
WHOLE_SHARE_WITHIN = 1e-6

# Keys of the formula, including those of the Materials Project and pymatgen.
FORMULAS = ("formula", "formula_pretty", "reduced_formula")
# Hydrogen, D and T; every facet treats all of them as hydrogen.
HYDROGEN_ISOTOPES = 3


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
        check_close(given(place, "volume"), cell.volume, "volume")
    check_lattice(entry["structure"], cell)
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
    if are_whole(found) and are_whole(cell.amounts):
        within = WHOLE_SHARE_WITHIN
    same = found.keys() == cell.amounts.keys() and shares_are_close(found, cell.amounts, within)
    if not same and not are_stated(found, cell):
        was = f"composition_reduced is {_listed(found)}"
        raise InvalidEntryError(f"{was}, but the structure is {_listed(cell.amounts)}")


def _check_formula(text: str, what: str, cell: Cell) -> None:
    try:
        # Deuterium and tritium are hydrogen.
        stated = parse_formula(HEAVY_HYDROGEN.sub("H", text))
    except FormulaError as error:
        raise InvalidEntryError(f"{what} cannot be read: {error}") from error
    formula = reduced_formula(stated)
    if formula != cell.formula and not _same_shares(stated, cell.amounts) and not are_stated(stated, cell):
        raise InvalidEntryError(f"{what} is {text[:80]!r}, but the structure is {cell.formula}")


def _same_shares(stated: Mapping[str, float], amounts: Mapping[str, float]) -> bool:
    """Return whether fractional amounts equal those of the structure within their rounding."""
    if stated.keys() != amounts.keys() or (are_whole(stated) and are_whole(amounts)):
        return False
    return shares_are_close(stated, amounts)


def _check_amounts(stated: Any, cell: Cell) -> None:
    """Compare the amounts of a cell, by symbol or species, with those of the structure."""
    found = _found_amounts(stated, "composition", cell)
    within = ATOMS_WITHIN if are_whole(cell.amounts) else SHARE_WITHIN * cell.n_atoms
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


def _listed(amounts: Mapping[str, float]) -> str:
    return " ".join(f"{symbol}{amount:g}" for symbol, amount in sorted(amounts.items()))[:80]
