"""Reject sites of a CIF that pymatgen would read as another element, occupancy or place."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from polyfacet.sources.structure_checks import ISOTOPES, element_of
from polyfacet.sources.values import InvalidEntryError, as_float, shown

SYMBOLS, LABELS = "_atom_site_type_symbol", "_atom_site_label"
OCCUPANCIES = "_atom_site_occupancy"
CALCULATED, DUMMY = "_atom_site_calc_flag", "dum"
ATTACHED_HYDROGENS = "_atom_site_attached_hydrogens"
COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
# With its uncertainty in brackets.
UNCERTAIN = re.compile(r"[^()]+(\([^()]+\))?")
UNKNOWN = "?"
NONE_ATTACHED = ("0", "?", ".")
# The charge of a type symbol as in the standard (`Fe3+`), or as some programs write it (`Fe+3`).
REVERSED_CHARGE = re.compile(r"([A-Z][a-z]?)([+-])(\d+)")
# Labels of groups and vacancies, of which the parser would read some letters or none.
GROUPS = re.compile(r"H2O|OH|NO3|[Ww]at|V[Aa]")
# A label is an element; then a number (`O1A`), or brackets, primes and the like.
LABEL = re.compile(r"(?P<element>[A-Z][a-z]?)(?![A-Za-z])")
# It may also name the kind of site (`MgM1`, `FeIII`), where one letter may be part of the element (`CA1`).
SITE_LABEL = re.compile(r"[A-Z][a-z]?[A-Z]?(?![a-z])")
# Between the elements of a shared site.
SHARED = re.compile(r"[/,&|]")


def check_numbers(stated: Mapping[str, Any]) -> None:
    """Reject occupancies and coordinates that the parser would replace by 1 and by 0, or read as others.

    Raises
    ------
    InvalidEntryError
        If an occupancy or a coordinate is not a number.
    """
    for index, text in enumerate(_values(stated, OCCUPANCIES)):
        if text != UNKNOWN and not _is_finite(text):
            raise InvalidEntryError(f"the occupancy of site {index} is {shown(text)}, not a number")
    for key in COORDINATES:
        for index, text in enumerate(_values(stated, key)):
            # The closing bracket of an uncertainty is sometimes missing.
            if as_float(text.partition("(")[0]) is None:
                raise InvalidEntryError(f"{key} of site {index} is {shown(text)}, not a number")


def check_atoms(stated: Mapping[str, Any]) -> None:
    """Reject sites that mark a place, such as the centre of a ring, and that the parser would take for atoms.

    Raises
    ------
    InvalidEntryError
        If a site is declared a dummy.
    """
    for index, text in enumerate(_values(stated, CALCULATED)):
        if text.lower() == DUMMY:
            raise InvalidEntryError(f"site {index} is no atom ({CALCULATED} is {DUMMY}): remove it")


def check_hydrogens(stated: Mapping[str, Any]) -> None:
    """Reject atoms with attached hydrogens: these have no positions.

    Raises
    ------
    InvalidEntryError
        If a site states a number of them other than 0.
    """
    for index, text in enumerate(_values(stated, ATTACHED_HYDROGENS)):
        if text not in NONE_ATTACHED:
            raise InvalidEntryError(
                f"the CIF has hydrogen atoms without positions: {ATTACHED_HYDROGENS} of site {index} is "
                f"{shown(text)}"
            )


def check_elements(stated: Mapping[str, Any], in_formula: Collection[str]) -> None:
    """Reject symbols of groups, vacancies and the like, of which the parser would read some letters.

    Parameters
    ----------
    stated
        What the CIF states.
    in_formula
        Elements and isotopes that its formula names; none if it states none.

    Raises
    ------
    InvalidEntryError
        If a type symbol is not an element, an isotope or an ion, or a label without one is not clearly an
        element and its number, and the formula does not confirm one way to read it.
    """
    symbols = _values(stated, SYMBOLS)
    for index, text in enumerate(symbols):
        if not _is_element(text):
            raise InvalidEntryError(f"unknown element {shown(text)} at site {index}")
    for index, text in enumerate([] if symbols else _values(stated, LABELS)):
        if not (_is_plain(text) or _is_confirmed(text, in_formula)):
            raise InvalidEntryError(
                f"unknown element {shown(text)} at site {index}, judging by its label: add {SYMBOLS}"
            )


def _values(stated: Mapping[str, Any], key: str) -> list[str]:
    values = stated.get(key, [])
    if not isinstance(values, list):
        raise InvalidEntryError(f"{key} is not in a loop: begin the list of atoms with loop_")
    return values


def _is_finite(text: str) -> bool:
    return bool(UNCERTAIN.fullmatch(text)) and as_float(text.partition("(")[0]) is not None


def _is_element(symbol: str) -> bool:
    return element_of(REVERSED_CHARGE.sub(r"\1\3\2", symbol)) is not None


def _is_plain(label: str) -> bool:
    """Return whether a label is an element with a number; D and T are also names of sites."""
    found = LABEL.match(label)
    if found is None or GROUPS.match(label) or SHARED.search(label):
        return False
    return found["element"] not in ISOTOPES and element_of(found["element"]) is not None


def _is_confirmed(label: str, in_formula: Collection[str]) -> bool:
    """Return whether a formula has just one of the elements that a label may name: that of the parser."""
    if GROUPS.match(label):
        return False
    parts = [SITE_LABEL.match(part) for part in SHARED.split(label)]
    readings = [symbol for part in parts if part for symbol in _readings(part.group())]
    return bool(readings) and set(readings) & set(in_formula) == {readings[0]}


def _readings(label: str) -> list[str]:
    """Return the elements that the first letters of a label may mean, that of the parser first."""
    symbols = [label[:2].title(), label[:1]] if label[1:2].isupper() else [label[:2]]
    return [symbol for symbol in symbols if element_of(symbol) is not None]
