"""Reject a CIF whose symmetry pymatgen did not apply: it only warns, and keeps the sites as if in P1."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
from pymatgen.core import Structure
from pymatgen.core.operations import SymmOp
from pymatgen.symmetry.groups import SpaceGroup
from spglib import get_spacegroup_type

from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.sources.structures.cif_parser import CachingCifParser
from polyfacet.sources.values import InvalidEntryError, shown

# Keys of CIF are case-insensitive; some programs write dots, or an underscore at the end.
SYMBOL = re.compile(r"_(symmetry[._])?space_group[._]name_(H[-_]M(_alt|_full|_ref)?|Hall)_?", re.I)
NUMBER = re.compile(r"_(space_group[._]IT|symmetry[._]Int_Tables)_number_?", re.I)
OPERATIONS = re.compile(
    r"_(symmetry_equiv[._]pos_as_xyz|space_group_symop[._](magn[._])?operation[._]xyz)_?", re.I
)
FORMULA_UNITS = "_cell_formula_units_Z"
FORMULA = "_chemical_formula_sum"
UNKNOWN = ("", "?", ".")
N_HALL_SYMBOLS, N_SPACE_GROUPS = 530, 230
ATOMS_WITHIN = 1e-2
IDENTITY = np.eye(4)


def check_symmetry(stated: Mapping[str, Any], parser: CachingCifParser, structure: Structure) -> None:
    """Reject a CIF of which the stated symmetry, or all of the cell, was not read.

    Raises
    ------
    InvalidEntryError
        If symmetry is stated but not applied, or may have been applied in another setting.
    """
    symbols, numbers = _texts(stated, SYMBOL), _texts(stated, NUMBER)
    operations = _texts(stated, OPERATIONS)
    symmetry = next((text for text in [*symbols, *numbers] if _without_spaces(text) not in ("P1", "1")), None)
    if _only_identity(parser.symmetry_operations):
        if symmetry is not None:
            raise InvalidEntryError(_not_applied(f"space group {shown(symmetry)}"))
        if len(operations) > 1:
            raise InvalidEntryError(_not_applied(f"{len(operations)} symmetry operations"))
        if not symbols and not numbers:
            _check_formula_units(stated, structure)
    elif symbols and not operations and not _symbol_was_used(parser) and not _follows(symbols[0], numbers):
        raise InvalidEntryError(
            f"the setting of space group {shown(symbols[0])} is unknown: list its operations"
        )


def _not_applied(what: str) -> str:
    return (
        f"the CIF states {what}, but no symmetry operation could be applied: list the operations, "
        "or all atoms of the cell with space group P 1"
    )


def _texts(stated: Mapping[str, Any], keys: re.Pattern[str]) -> list[str]:
    """Return all known values of keys, in loops or not."""
    values = [value for key, value in stated.items() if keys.fullmatch(key)]
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    return [text for text in texts if text.strip() not in UNKNOWN]


def _without_spaces(text: str) -> str:
    return re.sub(r"[\s_]", "", text).upper()


def _only_identity(operations: Iterable[SymmOp]) -> bool:
    return all((operation.affine_matrix == IDENTITY).all() for operation in operations)


def _symbol_was_used(parser: CachingCifParser) -> bool:
    return any("Spacegroup from" in warning for warning in parser.warned)


def _follows(symbol: str, numbers: Iterable[str]) -> bool:
    """Return whether the number, which gave the operations, has one setting only or that of the symbol."""
    known = [int(number) for number in numbers if number.isdecimal() and 1 <= int(number) <= N_SPACE_GROUPS]
    return any(
        _settings().count(number) == 1 or _without_spaces(symbol) in _default_symbols(number)
        for number in known
    )


def _default_symbols(number: int) -> list[str]:
    """Return the symbols of the setting that pymatgen chooses: rhombohedral groups are hexagonal."""
    symbol = _without_spaces(SpaceGroup.from_int_number(number).symbol)
    short = re.sub(r"^(.)1(.+)1$", r"\1\2", symbol)
    return [symbol, short] + ([f"{symbol}H", f"{symbol}:H"] if symbol.startswith("R") else [])


@cache
def _settings() -> list[int]:
    """Return the space group number of each Hall symbol."""
    types = map(get_spacegroup_type, range(1, N_HALL_SYMBOLS + 1))
    return [setting.number for setting in types if setting is not None]


def _check_formula_units(stated: Mapping[str, Any], structure: Structure) -> None:
    """Reject sites that are fewer than the stated formula units: symmetry is missing."""
    text = stated.get(FORMULA_UNITS)
    if not isinstance(text, str) or not text.isdecimal() or int(text) < 2:
        return
    amounts = structure.composition.get_el_amt_dict()
    if any(amount != round(amount) for amount in amounts.values()):
        return
    # Pymatgen writes the number of reduced formulas; others, the number of stated formulas.
    _, reduced = structure.composition.get_reduced_composition_and_factor()
    n_atoms = structure.composition.num_atoms
    expected = int(text) * _n_atoms(stated.get(FORMULA))
    if reduced % int(text) and abs(n_atoms - expected) > ATOMS_WITHIN * n_atoms:
        raise InvalidEntryError(
            f"the CIF states {text} formula units, but no symmetry, and its sites hold "
            f"{structure.composition.formula[:80]!r}: list the symmetry operations or all atoms of the cell"
        )


def _n_atoms(formula: Any) -> float:
    try:
        return sum(parse_formula(formula).values()) if isinstance(formula, str) else 0.0
    except FormulaError:
        return 0.0
