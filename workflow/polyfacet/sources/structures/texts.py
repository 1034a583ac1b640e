"""Structures as text: CIF, POSCAR and pymatgen's JSON, each read into lattice and sites.

Pymatgen reads CIF and POSCAR; what it would guess, drop or only warn of is a reject here.
"""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from pymatgen.core import Composition, Structure
from pymatgen.io.cif import CifBlock
from pymatgen.io.vasp.inputs import Poscar

from polyfacet.materials.stated_numbers import is_missing
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.sources.structure_checks import ISOTOPES
from polyfacet.sources.structures.cif_cell import check_values, check_volume
from polyfacet.sources.structures.cif_form import (
    check_cell,
    check_characters,
    check_keys,
    check_modulation,
    check_operations,
)
from polyfacet.sources.structures.cif_parser import CachingCifParser
from polyfacet.sources.structures.cif_sites import check_atoms, check_elements, check_numbers
from polyfacet.sources.structures.cif_symmetry import (
    FORMULA,
    check_setting,
    check_symmetry,
    named_in_formula,
    stated_formula,
)
from polyfacet.sources.structures.cif_text import DATA_BLOCK, as_usual
from polyfacet.sources.structures.crystals import Crystal
from polyfacet.sources.structures.poscar_form import NUMBER, begins_like_a_poscar, check_lines
from polyfacet.sources.values import InvalidEntryError, mapping, shown

# A file that says this holds all sites of the cell: no coordinate is rounded to a special position.
P1 = re.compile(r"^_(?:symmetry_space_group_name_H-M|space_group_name_H-M_alt)\s+['\"]?P ?1['\"]?\s*$", re.M)
REMARK = re.compile(r"[ \t]*!.*")
LINE_END = re.compile(r"\r\n?")
# What CIF text and pymatgen's JSON are recognized by, whatever else is wrong with them.
CIF_TAGS = re.compile(
    rf"(?:^|\s)_cell[_.]length_a\s+['\"]?(?:{NUMBER}|[?.](?=\s|$))|^\s*_atom_site[_.]\w+\s*$", re.M | re.I
)
JSON_LATTICE = re.compile(r'"lattice"\s*:\s*\{')
# Title, scale, vectors, elements or their numbers, `Direct`, a position.
MIN_LINES_OF_POSCAR = 8
# Coordinates such as 0.3333 are rounded to thirds, so that symmetry maps atoms onto themselves.
ROUNDED_WITHIN = 1e-4
SPACE_GROUP_NUMBERS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
# Fractions of all atoms: formulas of disordered crystals are rounded.
SHARE_WITHIN = 1e-2
MAX_REASON_CHARS = 300
# What pymatgen's errors say of a loop whose values do not fill its columns.
UNEVEN_LOOP = ("zip() argument", "is not a multiple of", "modulo by zero")


def crystal_from_cif(text: str) -> Crystal:
    """Read the only structure of a CIF.

    Raises
    ------
    InvalidEntryError
        If there is none, or more than one, or it contradicts what the CIF states.
    """
    block = _only_block(as_usual(text))
    with _reading("CIF"):
        check_keys(block)
        check_characters(block)
        parser = _parser(block)
        (stated,) = parser.as_dict().values()
        _check_statements(CifBlock.from_str(block).data if parser.replaced_sites else stated)
        # Occupancies are taken as they are: those that are too high are rejected, not scaled.
        (structure,) = parser.parse_structures(primitive=False, check_occu=False, on_error="raise")
    if "implicit_hydrogens" in structure.site_properties:
        raise InvalidEntryError("the CIF has hydrogen atoms without positions")
    formula = stated_formula(stated)
    check_elements(stated, named_in_formula(stated, formula))
    check_volume(stated, structure.volume)
    check_symmetry(stated, parser, structure)
    composition = structure.composition
    _check_formula(formula, composition, stated.get(FORMULA))
    check_setting(stated, parser, composition, sum(formula.values()))
    return Crystal(_plain(structure), space_group=_space_group(stated))


def _parser(block: str) -> CachingCifParser:
    """Return a parser that has read a data block, or raise the reason why it cannot."""
    try:
        return CachingCifParser.from_str(block, frac_tolerance=0.0 if P1.search(block) else ROUNDED_WITHIN)
    except Exception:
        # The parser corrects what it reads; where that fails, the block as it is written may show why.
        _check_statements(CifBlock.from_str(block).data)
        raise


def _check_statements(stated: Mapping[str, Any]) -> None:
    check_modulation(stated)
    check_cell(stated)
    check_values(stated)
    check_operations(stated)
    check_atoms(stated)
    check_numbers(stated)


def crystal_from_poscar(text: str) -> Crystal:
    """Read a POSCAR.

    Raises
    ------
    InvalidEntryError
        If it is not one, its parts do not fit together, or it does not name its elements.
    """
    if not text.strip():
        raise InvalidEntryError("the POSCAR is empty")
    text = _without_remarks(LINE_END.sub("\n", text))
    with _reading("POSCAR"):
        check_lines(text)
        poscar = Poscar.from_str(_with_scale_of_lengths(text), read_velocities=False)
    if not poscar.true_names:
        raise InvalidEntryError(
            "the POSCAR does not name its elements: add a line with their symbols above their numbers"
        )
    return Crystal(_plain(poscar.structure))


def crystal_from_json(stated: Any) -> Crystal:
    """Read a pymatgen Structure as JSON, as text or as mapping.

    Raises
    ------
    InvalidEntryError
        If it is not JSON of a structure.
    """
    if isinstance(stated, str):
        try:
            stated = json.loads(stated)
        except (ValueError, RecursionError) as error:
            raise InvalidEntryError(f"the structure is not JSON: {error}") from error
        if isinstance(stated, str):
            raise InvalidEntryError("the structure is JSON inside a text of JSON: encode it only once")
    structure = mapping(stated, "structure")
    if structure.get("@class") not in (None, "Structure", "IStructure"):
        raise InvalidEntryError(f"the structure is JSON of {shown(structure['@class'])}, not of a Structure")
    return Crystal(structure)


def crystal_from_text(stated: Any) -> Crystal:
    """Read a structure of a table: CIF text, POSCAR text, or pymatgen's JSON as text or mapping.

    Raises
    ------
    InvalidEntryError
        If it is missing or cannot be read.
    """
    if isinstance(stated, Mapping):
        return crystal_from_json(stated)
    if stated is None or is_missing(str(stated).strip()):
        raise InvalidEntryError("the structure is missing")
    if not isinstance(stated, str):
        raise InvalidEntryError(f"the structure is {shown(stated)}, not CIF text or JSON")
    if stated.lstrip().startswith(("{", "[", '"')):
        return crystal_from_json(stated)
    if DATA_BLOCK.search(stated):
        return crystal_from_cif(stated)
    if len(stated.split("\n" if "\n" in stated else "\r")) < MIN_LINES_OF_POSCAR:
        raise InvalidEntryError(f"the structure is {shown(stated)}, not CIF text, a POSCAR or JSON")
    return crystal_from_poscar(stated)


def looks_like_a_structure(value: Any) -> bool:
    """Return whether a value is CIF text, POSCAR text or pymatgen's JSON of a structure.

    It may be broken, but must have more than words in common with one: a note may mention ``_cell_length_a``.
    """
    if isinstance(value, Mapping):
        return isinstance(value.get("lattice"), Mapping)
    if not isinstance(value, str):
        return False
    if value.lstrip().startswith("{"):
        return JSON_LATTICE.search(value) is not None
    text = LINE_END.sub("\n", value)
    is_cif = DATA_BLOCK.search(text) is not None and CIF_TAGS.search(text) is not None
    return is_cif or begins_like_a_poscar(text)


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Turn the errors of a parser into reasons, and silence its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except InvalidEntryError:
            raise
        except Exception as error:
            raise_machine_failure(error)
            if isinstance(error.__cause__, InvalidEntryError):
                raise error.__cause__ from error
            raise InvalidEntryError(f"the {what} cannot be read: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(cause, KeyError):
        return f"{cause.args[0]} is missing"
    text = " ".join(str(cause).split())[:MAX_REASON_CHARS]
    if "could not convert string to float" in text:
        return f"{text.rsplit(':', 1)[-1].strip()} is not a number"
    if any(part in text for part in UNEVEN_LOOP):
        return "a loop, such as the list of atoms, has a row with too few or too many values"
    return text or type(cause).__name__


def _without_remarks(text: str) -> str:
    """Remove comments after ``!`` below the title, which VASP ignores and pymatgen reads."""
    title, line_end, others = text.partition("\n")
    return title + line_end + REMARK.sub("", others)


def _with_scale_of_lengths(text: str) -> str:
    """Replace the scale of a POSCAR that is a volume: pymatgen multiplies Cartesian positions by it."""
    lines = text.split("\n")
    scale = float(lines[1].split("#")[0])
    if scale < 0:
        lattice = np.array([line.split()[:3] for line in lines[2:5]], dtype=float)
        lines[1] = repr(float(-scale / abs(np.linalg.det(lattice))) ** (1 / 3))
    return "\n".join(lines)


def _only_block(text: str) -> str:
    """Return the data block with atoms; others hold, for example, the publication.

    Raises
    ------
    InvalidEntryError
        If no block has atoms in a cell, or several have.
    """
    if not text.strip():
        raise InvalidEntryError("the CIF is empty")
    blocks = DATA_BLOCK.split(text)[1:]
    if not blocks:
        raise InvalidEntryError("it is not a CIF: no line begins with data_")
    with_atoms = [f"data_{block}" for block in blocks if "_atom_site_fract_x" in block]
    if len(with_atoms) > 1:
        raise InvalidEntryError(
            f"the CIF holds {len(with_atoms)} structures: write each into a file of its own"
        )
    if not with_atoms:
        if "_atom_site_Cartn_x" in text:
            raise InvalidEntryError("the CIF has Cartesian coordinates only: a molecule without a cell?")
        raise InvalidEntryError("the CIF has no atoms: _atom_site_fract_x is missing")
    if "_cell_length_a" not in with_atoms[0]:
        raise InvalidEntryError("the CIF has no cell: _cell_length_a is missing")
    return with_atoms[0]


def _check_formula(formula: Mapping[str, float], composition: Composition, stated: Any) -> None:
    """Reject a CIF whose sites lack atoms of its formula, or the other way round.

    Positions of hydrogen are often unknown, and atoms that the parser does not know are left out.
    """
    if not formula:
        return
    amounts: dict[str, float] = {}
    for element, amount in composition.get_el_amt_dict().items():
        symbol = ISOTOPES.get(element, element)
        amounts[symbol] = amounts.get(symbol, 0.0) + amount
    found, expected = _shares(amounts), _shares(formula)
    for symbol in found.keys() | expected.keys():
        if abs(found.get(symbol, 0.0) - expected.get(symbol, 0.0)) > SHARE_WITHIN:
            raise InvalidEntryError(
                f"the CIF states {' '.join(stated.split())[:80]!r}, but its sites hold "
                f"{composition.formula[:80]!r}"
            )


def _shares(amounts: Mapping[str, float]) -> dict[str, float]:
    total = sum(amounts.values())
    return {symbol: amount / total for symbol, amount in amounts.items()} if total else {}


def _space_group(stated: Mapping[str, Any]) -> int | None:
    """Return the space group number of a CIF; 1 may only mean that all sites are listed."""
    for key in SPACE_GROUP_NUMBERS:
        text = stated.get(key)
        if isinstance(text, str) and text.isdecimal() and int(text) > 1:
            return int(text)
    return None


def _plain(structure: Structure) -> dict[str, Any]:
    """Return lattice, sites and charge as in the JSON of the structure, which takes pymatgen much longer."""
    return {
        "lattice": {"matrix": structure.lattice.matrix.tolist()},
        "sites": [
            {
                "species": [
                    {"element": getattr(species, "symbol", str(species)), "occu": occupancy}
                    for species, occupancy in site.species.items()
                ],
                "abc": site.frac_coords.tolist(),
            }
            for site in structure
        ],
    }
