"""The parts of a split, and the division of indivisible groups among them."""

from collections.abc import Mapping

import pyarrow as pa

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import column

TRAIN, VALID, TEST = PARTS = ("train", "valid", "test")

GROUP = column("group", pa.string(), "group that no split divides: all its materials are in one part")
PART = column(
    "part", pa.string(), "train, valid (selects the epoch; some engines train on it instead) or test"
)
SPLIT = pa.schema([column("mat_id", pa.string(), "identifier of the material"), GROUP, PART])


def divide(groups: Mapping[str, str], fraction: float, *key: object) -> tuple[set[str], set[str]]:
    """Divide materials in two by a seeded hash of their groups, independent of their order.

    Parameters
    ----------
    groups
        mat_id to group; groups are not divided.
    fraction
        Share of the materials in the first part, met as closely as the groups allow: exactly (up to rounding)
        if each material is its own group.  No part is empty if there are at least two groups.
    key
        Key of the shuffle: purpose, seed, repeat.

    Returns
    -------
    tuple of set of str
        Identifiers in the first and in the second part.

    Raises
    ------
    UserError
        If there are fewer than two groups.
    """
    members: dict[str, list[str]] = {}
    for mat_id, group in groups.items():
        members.setdefault(group, []).append(mat_id)
    shuffled = sorted(members, key=lambda name: (stable_hash(*key, name), name))
    room = round(fraction * len(groups))
    taken: list[str] = []
    for name in shuffled:
        if room >= len(members[name]) / 2:
            taken.append(name)
            room -= len(members[name])
    if len(taken) == len(members):
        taken.pop()
    elif not taken:
        taken = shuffled[:-1]
    first = {mat_id for name in taken for mat_id in members[name]}
    if not first:
        raise UserError(
            f"{len(groups)} materials cannot be split: one part would be empty. Materials of one group stay "
            f"together, and the number of groups is {len(members)}. Use more materials, or another method."
        )
    return first, groups.keys() - first
