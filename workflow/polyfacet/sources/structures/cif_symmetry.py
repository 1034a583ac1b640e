"""Reject a CIF whose symmetry pymatgen did not apply: it only warns, and keeps the sites as if in P1."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from pymatgen.core import Composition, Structure
from pymatgen.core.operations import SymmOp
from pymatgen.symmetry.groups import SpaceGroup

from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.sources.structure_checks import HEAVY_HYDROGEN
from polyfacet.sources.structures.cif_cell import check_symmetry_of_cell
from polyfacet.sources.structures.cif_copies import ask_for_digits, check_copies, rounded_coordinate
from polyfacet.sources.structures.cif_form import known_texts
from polyfacet.sources.structures.cif_group import Group, space_group_types
from polyfacet.sources.structures.cif_hall import check_hall
from polyfacet.sources.structures.cif_parser import HALL, CachingCifParser
from polyfacet.sources.values import InvalidEntryError, shown

# Keys of CIF are case-insensitive; some programs write dots, or an underscore at the end.
HERMANN_MAUGUIN = re.compile(r"_(symmetry[._])?space_group[._]name_H[-_]M(_alt|_full|_ref)?_?", re.I)
SYMBOL = re.compile(rf"{HERMANN_MAUGUIN.pattern}|{HALL.pattern}", re.I)
NUMBER = re.compile(r"_(space_group[._]IT|symmetry[._]Int_Tables)_number_?", re.I)
OPERATIONS = re.compile(
    r"_(symmetry_equiv[._]pos_as_xyz|space_group_symop[._](magn[._])?operation[._]xyz)_?", re.I
)
# Number and symbol of a magnetic space group after Belov, Neronova and Smirnova.
MAGNETIC_NUMBER = re.compile(r"_space_group[._]magn[._]number_BNS", re.I)
MAGNETIC_SYMBOL = re.compile(r"_space_group[._]magn[._]name_BNS", re.I)
MULTIPLICITY = re.compile(r"_atom_site[._](site_)?symmetry_multiplicity", re.I)
COORDINATES = "_atom_site_fract_x"
FORMULA_UNITS = "_cell_formula_units_Z"
FORMULA = "_chemical_formula_sum"
N_SPACE_GROUPS = 230
ATOMS_WITHIN = 3e-2
IDENTITY = np.eye(4)


def check_symmetry(stated: Mapping[str, Any], parser: CachingCifParser, structure: Structure) -> None:
    """Reject a CIF of which the stated symmetry, or all of the cell, was not read.

    Raises
    ------
    InvalidEntryError
        If symmetry is stated but not applied, or may have been applied in another setting, or contradicts the
        operations or the cell.
    """
    symbols, numbers = known_texts(stated, SYMBOL), known_texts(stated, NUMBER)
    plain_symbols, magnetic = known_texts(stated, HERMANN_MAUGUIN), _magnetic_groups(stated)
    operations = known_texts(stated, OPERATIONS)
    for text in numbers:
        if "_" in text:
            raise InvalidEntryError(f"the number of the space group is {shown(text)}, not a number")
    groups = [*symbols, *numbers, *magnetic]
    symmetry = next((text for text in groups if _without_spaces(text) not in ("P1", "1")), None)
    if _only_identity(parser.symmetry_operations):
        if symmetry is not None and not (len(operations) == 1 and _lists_all_atoms(stated, structure)):
            raise InvalidEntryError(_not_applied(f"space group {shown(symmetry)}"))
        if len(operations) > 1:
            raise InvalidEntryError(_not_applied(f"{len(operations)} symmetry operations"))
        multiple = next((text for text in known_texts(stated, MULTIPLICITY) if text not in ("0", "1")), None)
        if multiple is not None and not (symbols or numbers or operations):
            raise InvalidEntryError(_not_applied(f"a site with multiplicity {shown(multiple)}"))
        return
    if symbols and not operations and not _symbol_was_used(parser) and not _follows(symbols[0], numbers):
        raise InvalidEntryError(
            f"the setting of space group {shown(symbols[0])} is unknown: list its operations"
        )
    if parser.group is not None:
        check = _check_number if operations or parser.is_magnetic else _check_derived
        check(parser.group, plain_symbols, [*numbers, *magnetic])
        check_symmetry_of_cell(parser.group.rotations, structure.lattice.matrix)
    if not (operations or parser.is_magnetic):
        check_hall(known_texts(stated, HALL), [*plain_symbols, *numbers], parser.symmetry_operations)
    check_copies(stated, structure)


def _lists_all_atoms(stated: Mapping[str, Any], structure: Structure) -> bool:
    """Return whether the formula and its number of units confirm that all atoms of the cell are listed.

    Then a space group is a remark on the crystal; jarvis-tools writes such files.
    """
    in_formula = sum(stated_formula(stated).values())
    return _check_formula_units(stated, structure.composition, in_formula)


def stated_formula(stated: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the atoms of the formula that a CIF states, by element; none if it states none."""
    text = stated.get(FORMULA)
    try:
        return parse_formula(HEAVY_HYDROGEN.sub("H", text)) if isinstance(text, str) else {}
    except FormulaError:
        return {}


def named_in_formula(stated: Mapping[str, Any], formula: Mapping[str, float]) -> frozenset[str]:
    """Return the elements of the stated formula, with the isotopes that it names; none if it states none."""
    isotopes = HEAVY_HYDROGEN.findall(stated[FORMULA]) if formula else []
    return frozenset([*formula, *isotopes])


def check_setting(
    stated: Mapping[str, Any], parser: CachingCifParser, composition: Composition, in_formula: float
) -> None:
    """Reject a cell with more or fewer atoms than stated, or whose origin is a guess.

    Parameters
    ----------
    stated
        What the CIF states.
    parser
        The parser that has read it.
    composition
        Atoms of the cell.
    in_formula
        Atoms of the stated formula; 0 if there is none.

    Raises
    ------
    InvalidEntryError
        If the number of atoms is not that of the formula units, or the origin of the space group is neither
        stated nor confirmed by that number.
    """
    is_confirmed = _check_formula_units(stated, composition, in_formula)
    group = parser.group
    if group is None or parser.is_magnetic or known_texts(stated, OPERATIONS):
        return
    if group.number not in _groups_with_two_origins():
        return
    listed = stated.get(COORDINATES)
    n_general = group.order * len(listed) if isinstance(listed, list) else 0
    # Atoms in general positions are equally many with either origin.
    if not is_confirmed or composition.num_atoms >= n_general:
        raise InvalidEntryError(
            f"space group {group.number} has two choices of origin, and the CIF does not state which: list "
            "the symmetry operations"
        )


def _check_number(group: Group, symbols: Sequence[str], numbers: Sequence[str]) -> None:
    """Reject operations that are fewer than those of the stated space group.

    More of them are no contradiction: within a tolerance, a refined cell may gain operations.
    """
    known = set(_known(numbers)) or {number for symbol in symbols for number in _numbers_of(symbol)}
    if not known or group.number is None or group.number in known:
        return
    if all(group.order < _order(number) for number in known):
        raise InvalidEntryError(
            f"the CIF states space group {shown(next(iter([*symbols, *numbers])))}, but lists the operations "
            f"of space group {group.number}: list all operations, or correct the space group"
        )


def _check_derived(group: Group, symbols: Sequence[str], numbers: Sequence[str]) -> None:
    """Reject a symbol or number of another space group than that whose operations were applied."""
    of_symbols = {symbol: _numbers_of(symbol) for symbol in symbols}
    stated = {**of_symbols, **{str(number): frozenset([number]) for number in _known(numbers)}}
    if group.number is None or all(group.number in found for found in stated.values() if found):
        return
    raise InvalidEntryError(
        f"the CIF states space groups that contradict each other ({', '.join(map(shown, stated))}): correct "
        "them, or list the operations"
    )


@cache
def _order(number: int) -> int:
    return len(SpaceGroup.from_int_number(number).symmetry_ops)


def _not_applied(what: str) -> str:
    return (
        f"the CIF states {what}, but no symmetry operation could be applied: list the operations, "
        "or all atoms of the cell with space group P 1"
    )


def _without_spaces(text: str) -> str:
    return re.sub(r"[\s_]", "", text).upper()


def _magnetic_groups(stated: Mapping[str, Any]) -> list[str]:
    """Return the numbers of the space groups of which magnetic ones are made, without time reversal.

    The operations of a group with an antitranslation are twice as many.
    """
    numbers = [text.partition(".")[0] for text in known_texts(stated, MAGNETIC_NUMBER)]
    symbols = [text.removesuffix("1'").replace("'", "") for text in known_texts(stated, MAGNETIC_SYMBOL)]
    found = [str(number) for symbol in symbols if "_" not in symbol for number in _numbers_of(symbol)]
    return numbers or found


def _only_identity(operations: Iterable[SymmOp]) -> bool:
    return all((operation.affine_matrix == IDENTITY).all() for operation in operations)


def _symbol_was_used(parser: CachingCifParser) -> bool:
    return any("Spacegroup from" in warning for warning in parser.warned)


def _follows(symbol: str, numbers: Iterable[str]) -> bool:
    """Return whether the number, which gave the operations, has one setting only or that of the symbol."""
    return any(
        _settings().count(number) == 1 or _without_spaces(symbol) in _default_symbols(number)
        for number in _known(numbers)
    )


def _known(numbers: Iterable[str]) -> list[int]:
    return [int(number) for number in numbers if number.isdecimal() and 1 <= int(number) <= N_SPACE_GROUPS]


def _default_symbols(number: int) -> list[str]:
    """Return the symbols of the setting that pymatgen chooses: rhombohedral groups are hexagonal."""
    symbol = _without_spaces(SpaceGroup.from_int_number(number).symbol)
    short = re.sub(r"^(.)1(.+)1$", r"\1\2", symbol)
    return [symbol, short] + ([f"{symbol}H", f"{symbol}:H"] if symbol.startswith("R") else [])


@cache
def _settings() -> list[int]:
    """Return the space group number of each Hall symbol."""
    return [found.number for found in space_group_types()]


@cache
def _groups_with_two_origins() -> frozenset[int]:
    return frozenset(found.number for found in space_group_types() if found.choice.startswith(("1", "2")))


@cache
def _numbers_of(symbol: str) -> frozenset[int]:
    """Return the numbers of the space groups with a Hermann-Mauguin symbol; none if it is unknown."""
    plain = _without_spaces(symbol).partition(":")[0]
    return frozenset(
        found.number
        for found in space_group_types()
        if plain in (_without_spaces(found.international_short), _without_spaces(found.international_full))
    )


def _check_formula_units(stated: Mapping[str, Any], composition: Composition, in_formula: float) -> bool:
    """Reject a cell with more or fewer atoms than its formula units; return whether their formula is stated.

    Without a formula, sites that are fewer than the units show that symmetry is missing.
    """
    text = stated.get(FORMULA_UNITS)
    if not isinstance(text, str) or not text.isdecimal() or int(text) < 1:
        return False
    n_units, amounts = int(text), list(composition.values())
    n_atoms = sum(amounts)
    if in_formula:
        # Pymatgen writes the formula of the cell, and how many times it holds the reduced formula.
        is_cell = _are_close(in_formula, n_atoms) and _divides(n_units, amounts)
        fits = is_cell or _are_close(n_units * in_formula, n_atoms)
    else:
        is_bare = not known_texts(stated, SYMBOL) and not known_texts(stated, NUMBER)
        fits = not is_bare or _divides(n_units, amounts)
    if not fits:
        raise InvalidEntryError(
            f"the CIF states {text} formula units{_of(stated)}, but its cell holds "
            f"{composition.formula[:80]!r}: {_advice(stated, n_atoms > n_units * in_formula)}"
        )
    return in_formula > 0


def _advice(stated: Mapping[str, Any], has_more: bool) -> str:
    """Return what may be wrong with a CIF whose cell has more or fewer atoms than stated."""
    rounded = rounded_coordinate(stated)
    if rounded is not None and has_more:
        return ask_for_digits(rounded)
    if len(known_texts(stated, OPERATIONS)) > 1:
        return "correct the operations, the coordinates or the number of formula units"
    return "list the symmetry operations of its setting, or all atoms of the cell"


def _are_close(n_stated: float, n_atoms: float) -> bool:
    return abs(n_atoms - n_stated) <= ATOMS_WITHIN * n_atoms


def _divides(n_units: int, amounts: Iterable[float]) -> bool:
    """Return whether a cell may hold a number of formula units; formulas with fractions are unknown."""
    whole = [round(amount) for amount in amounts]
    return whole != list(amounts) or math.gcd(*whole) % n_units == 0


def _of(stated: Mapping[str, Any]) -> str:
    return f" of {shown(stated[FORMULA])}" if isinstance(stated.get(FORMULA), str) else ""
