"""The parts of a split, and the division of indivisible groups among them."""

from collections.abc import Mapping

import pyarrow as pa

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import column

TRAIN, VALID, TEST = PARTS = ("train", "valid", "test")
# A group that is not divided cannot be in both parts of a division.
MIN_GROUPS = 2

GROUP = column("group", pa.string(), "group that no split divides: all its materials are in one part")
PART = column(
    "part", pa.string(), "train, valid (selects the epoch; some engines train on it instead) or test"
)
SPLIT = pa.schema([column("mat_id", pa.string(), "identifier of the material"), GROUP, PART])


def divide(groups: Mapping[str, str], fraction: float, *key: object) -> tuple[set[str], set[str]]:
    """Divide materials in two by a seeded hash of their groups, independent of their order.

    The smaller part takes groups in shuffled order, each only if it still fits, and then the smallest of the
    others if that brings its size nearer to its share, or no group fits.  Thus a group that is more than
    twice as large as the smaller part should be is in the larger one, unless all are.

    Parameters
    ----------
    groups
        mat_id to group; groups are not divided.
    fraction
        Share of the materials in the first part, met exactly (up to rounding) if each material is its own
        group, and otherwise, unless no group fits, within half the size of the smallest group in the larger
        part.  No part is empty if there are at least two groups.
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
    if len(members) < MIN_GROUPS:
        raise UserError(
            f"{len(groups)} materials cannot be split: one part would be empty. Materials of one group stay "
            f"together, and the number of groups is {len(members)}. Use more materials, or another method."
        )
    shuffled = sorted(members, key=lambda name: (stable_hash(*key, name), name))
    n_first = round(fraction * len(groups))
    is_larger = 2 * n_first >= len(groups)
    # From opposite ends: if no group has several materials, a part that is to be larger keeps its materials.
    order, room = (shuffled[::-1], len(groups) - n_first) if is_larger else (shuffled, n_first)
    chosen = _fill({name: len(members[name]) for name in order}, room)
    smaller = {mat_id for name in chosen for mat_id in members[name]}
    larger = groups.keys() - smaller
    return (larger, smaller) if is_larger else (smaller, larger)


def _fill(sizes: Mapping[str, int], room: int) -> list[str]:
    """Choose groups, in their order, that fill at most half of all room as nearly as whole groups do."""
    chosen, left = [], []
    for name, size in sizes.items():
        if size <= room:
            chosen.append(name)
            room -= size
        else:
            left.append(name)
    smallest = min(left, key=sizes.__getitem__)
    return [*chosen, smallest] if sizes[smallest] < 2 * room or not chosen else chosen
