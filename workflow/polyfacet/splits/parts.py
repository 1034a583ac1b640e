"""Training and test part of a sample: what must not be divided, and the parts of all materials."""

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import column

SplitMethod = Literal["random", "formula", "scikit_learn"]
TRAIN, VALID, TEST = "train", "valid", "test"

GROUP = column("group", pa.string(), "what no split divides: the formula, or the material and its twins")
SPLIT = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the material"),
        GROUP,
        column(
            "part", pa.string(), "train, valid (chooses the epoch; only where the split names it) or test"
        ),
    ]
)


def indivisible_groups(
    formulas: Mapping[str, str], method: SplitMethod, twins: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Say what a split must not divide.

    Parameters
    ----------
    formulas
        mat_id to formula, equal formulas in one spelling.
    method
        ``random`` takes materials (the study's way; polymorphs of one formula can be in both parts), twins
        together; ``formula`` takes formulas.
    twins
        mat_id to the name of its twins, of materials that have any; they have one formula.

    Returns
    -------
    dict
        mat_id to the name of its group.
    """
    if method == "formula":
        return dict(formulas)
    return {mat_id: (twins or {}).get(mat_id, mat_id) for mat_id in formulas}


def split_materials(
    groups: Mapping[str, str], train_fraction: float, seed: int, repeat: int
) -> dict[str, str]:
    """Assign each material to a part, by a seeded hash of its group and not by its place in a table.

    Parameters
    ----------
    groups
        mat_id to group; see `indivisible_groups`.
    train_fraction
        Share of the materials in the training part, met as nearly as whole groups allow: exactly (to
        rounding) where each material is its own.
    seed, repeat
        Each repeat of a seed is another shuffle.

    Returns
    -------
    dict
        mat_id to ``train`` or ``test``.

    Raises
    ------
    UserError
        If one of the parts would be empty.
    """
    members: dict[str, list[str]] = {}
    for mat_id, group in groups.items():
        members.setdefault(group, []).append(mat_id)
    shuffled = sorted(members, key=lambda name: (stable_hash("split", seed, repeat, name), name))
    room = round(train_fraction * len(groups))
    parts: dict[str, str] = {}
    for name in shuffled:
        fits = room >= len(members[name]) / 2
        parts |= dict.fromkeys(members[name], TRAIN if fits else TEST)
        room -= len(members[name]) if fits else 0
    if len(set(parts.values())) < 2:
        raise UserError(
            f"{len(groups)} materials cannot be split {train_fraction:g} to {1 - train_fraction:g}: one part "
            f"is empty. Materials of one group (formula, or twins) stay together, and there are "
            f"{len(members)} groups. Raise n_materials or change `split`."
        )
    return parts
