"""Reject a CIF that states its cell or its atoms twice or incompletely, with what is wrong."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

from polyfacet.sources.values import InvalidEntryError, as_float, shown

# Keys in comments and in texts of several lines state nothing.
COMMENT_OR_TEXT = re.compile(r"^;.*?^;|(?<!\S)#[^\n]*", re.M | re.S)
VALUE = re.compile(r"""(?<!\S)(?:(?P<mark>['"])(?P<quoted>.*?)(?P=mark)(?!\S)|(?P<bare>\S+))""")
# Unicode's categories of digits, dashes, signs and points that look like those of a number.
PARTS_OF_NUMBERS = ("Nd", "No", "Pd", "Sm", "Po")
SINGLE_KEYS = re.compile(
    r"(?<!\S)_(?:cell_(?:length|angle)_\w+|atom_site_(?:label|type_symbol|occupancy|fract_[xyz]))(?!\S)"
)
CELL = tuple(f"_cell_length_{axis}" for axis in "abc") + tuple(
    f"_cell_angle_{angle}" for angle in ("alpha", "beta", "gamma")
)
# With one of these, the parser knows the other lengths and angles.
CRYSTAL_SYSTEMS = ("_symmetry_cell_setting", "_space_group_crystal_system")
# Number of modulation vectors, and the vectors themselves.
MODULATED = ("_cell_modulation_dimension", "_cell_wave_vector")
OPERATION = re.compile(r"[-+/.0-9xyz ]+(,[-+/.0-9xyz ]+){2}", re.I)
OPERATIONS = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz")
UNKNOWN = ("", "?", ".")
MAGNETIC_OPERATIONS = ("_space_group_symop_magn_operation.xyz", "_space_group_symop_magn_centering.xyz")


def check_keys(text: str) -> None:
    """Reject a data block that repeats a key, of which the parser would take the last."""
    counts = Counter(SINGLE_KEYS.findall(COMMENT_OR_TEXT.sub("", text)))
    for key, count in counts.items():
        if count > 1:
            raise InvalidEntryError(f"the CIF states {key} {count} times: keep one cell and list of atoms")


def check_characters(text: str) -> None:
    """Reject numbers and operations with characters beyond ASCII, which the parser drops, such as a dash."""
    if text.isascii():
        return
    for value in VALUE.finditer(COMMENT_OR_TEXT.sub("", text)):
        word = value["quoted"] or value["bare"] or ""
        others = [each for each in word if not each.isascii()]
        found = next((each for each in others if unicodedata.category(each) in PARTS_OF_NUMBERS), None)
        if found and _is_read(word.encode("ascii", "ignore").decode()):
            name = unicodedata.name(found, "an unnamed character")
            raise InvalidEntryError(
                f"the CIF has {shown(word)} with {name} (U+{ord(found):04X}): write plain digits, point and "
                "minus"
            )


def _is_read(word: str) -> bool:
    """Return whether a word is a number, also with its uncertainty, or a symmetry operation."""
    return as_float(word.partition("(")[0]) is not None or OPERATION.fullmatch(word) is not None


def check_modulation(stated: Mapping[str, Any]) -> None:
    """Reject a modulated structure: its operations act in superspace, and its atoms are displaced."""
    key = next((key for key in stated if "_ssg_" in key or key.startswith(MODULATED)), None)
    if key and stated[key] not in ("0", "?", "."):
        raise InvalidEntryError(f"the CIF states {key}: modulated structures are not supported")


def check_cell(stated: Mapping[str, Any]) -> None:
    """Reject a cell of which a length or an angle is missing."""
    missing = next((key for key in CELL if key not in stated), None)
    if missing and not any(stated.get(key) for key in CRYSTAL_SYSTEMS):
        raise InvalidEntryError(f"the CIF cannot be read: {missing} is missing")


def check_operations(stated: Mapping[str, Any]) -> None:
    """Reject symmetry operations that do not have three components."""
    for key in OPERATIONS:
        texts = stated.get(key, [])
        for text in texts if isinstance(texts, list) else [texts]:
            if text not in UNKNOWN and text.count(",") != 2:
                raise InvalidEntryError(f"the symmetry operation {shown(text)} is not of the form x, y, z")


def known_texts(stated: Mapping[str, Any], keys: re.Pattern[str]) -> list[str]:
    """Return all known values of keys, in loops or not."""
    values = [value for key, value in stated.items() if keys.fullmatch(key)]
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    return [text for text in texts if text.strip() not in UNKNOWN]
