"""The text of a CIF as pymatgen expects it: keys in their usual spelling, text fields without data blocks."""

import re
from functools import lru_cache

DATA_BLOCK = re.compile(r"^\s*data_", re.M | re.I)
# A text of several lines.
TEXT_FIELD = re.compile(r"^;.*?^;", re.M | re.S)
LOOP = re.compile(r"(?<!\S)loop_(?!\S)", re.I)
# The standard ignores case, and newer dictionaries divide category and name by a point.
UNUSUAL_KEY = re.compile(r"(?<!\S)_\S*[A-Z.]\S*")
# Capitals that keys usually have.
CAPITALS = ("H-M", "H_M", "Hall", "IT", "Int_Tables", "units_Z", "BNS", "Pp", "Cartn")
USUAL = {part.lower(): part for part in CAPITALS}
WITH_CAPITALS = re.compile(rf"(?<=[._])(?:{'|'.join(USUAL)})(?=[._]|$)")
# Keys of magnetic CIFs keep their points: `_space_group_magn.number_BNS`.
WITH_POINT = re.compile(
    r"^(_(?:atom_site|atom_type|cell|chemical_formula|space_group|space_group_symop|symmetry|symmetry_equiv))\."
)
MAX_KNOWN_KEYS = 4096


def as_usual(text: str) -> str:
    """Return the text of a CIF with its keys, and the word that begins a loop, in their usual spelling.

    Lines of text fields that begin like a data block, of which pymatgen would take them for one, are changed.
    """
    text = LOOP.sub("loop_", TEXT_FIELD.sub(_without_data_blocks, text))
    return UNUSUAL_KEY.sub(lambda key: _usual_key(key.group()), text)


def _without_data_blocks(field: re.Match[str]) -> str:
    return DATA_BLOCK.sub("data ", field.group())


@lru_cache(maxsize=MAX_KNOWN_KEYS)
def _usual_key(key: str) -> str:
    key = WITH_POINT.sub(r"\1_", key.lower())
    return WITH_CAPITALS.sub(lambda part: USUAL[part.group()], key)
