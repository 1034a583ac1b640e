"""Reject sites of a CIF that pymatgen would read as another element, occupancy or place."""

import math
import re
from collections.abc import Mapping
from typing import Any

from polyfacet.sources.structure_checks import element_of
from polyfacet.sources.values import InvalidEntryError, shown

SYMBOLS, LABELS = "_atom_site_type_symbol", "_atom_site_label"
OCCUPANCIES = "_atom_site_occupancy"
COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
# A number with its uncertainty in brackets.
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?(\([^()]+\))?")
UNKNOWN = "?"
# It stands for zero elsewhere in a CIF, but here for a place that is not stated.
NOT_STATED = "."
# The charge of a type symbol as in the standard (`Fe3+`), or as some programs write it (`Fe+3`).
REVERSED_CHARGE = re.compile(r"([A-Z][a-z]?)([+-])(\d+)")
# A label begins with an element; then a number (`O1A`), or brackets, primes and the like.
LABEL = re.compile(r"(?!H2O)(?P<element>[A-Z][a-z]?)(?![A-Za-z])")


def check_numbers(stated: Mapping[str, Any]) -> None:
    """Reject occupancies and coordinates that the parser would replace by 1 and by 0.

    Raises
    ------
    InvalidEntryError
        If an occupancy is not a number, or a coordinate is not stated.
    """
    for index, text in enumerate(_values(stated, OCCUPANCIES)):
        if text != UNKNOWN and not _is_finite(text):
            raise InvalidEntryError(f"the occupancy of site {index} is {shown(text)}, not a number")
    for key in COORDINATES:
        if NOT_STATED in _values(stated, key):
            index = stated[key].index(NOT_STATED)
            raise InvalidEntryError(f"{key} of site {index} is '.', not a number")


def check_elements(stated: Mapping[str, Any]) -> None:
    """Reject symbols of groups, vacancies and the like, of which the parser would read some letters.

    Raises
    ------
    InvalidEntryError
        If a type symbol is not an element, an isotope or an ion, or a label without one does not begin
        with an element.
    """
    symbols = _values(stated, SYMBOLS)
    for index, text in enumerate(symbols or _values(stated, LABELS)):
        if not (_is_element(text) if symbols else _begins_with_element(text)):
            raise InvalidEntryError(f"unknown element {shown(text)} at site {index}")


def _values(stated: Mapping[str, Any], key: str) -> list[str]:
    values = stated.get(key, [])
    if not isinstance(values, list):
        raise InvalidEntryError(f"{key} is not in a loop: begin the list of atoms with loop_")
    return values


def _is_finite(text: str) -> bool:
    return bool(NUMBER.fullmatch(text)) and math.isfinite(float(text.partition("(")[0]))


def _is_element(symbol: str) -> bool:
    return element_of(REVERSED_CHARGE.sub(r"\1\3\2", symbol)) is not None


def _begins_with_element(label: str) -> bool:
    found = LABEL.match(label)
    return found is not None and element_of(found["element"]) is not None
