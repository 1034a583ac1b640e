"""Training and test part of a sample: by material, or by formula so that no composition is in both."""

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

from polyfacet.errors import UserError
from polyfacet.identifiers import stable_hash
from polyfacet.tables import column

SplitMethod = Literal["random", "formula", "scikit_learn"]
TRAIN, VALID, TEST = "train", "valid", "test"

SPLIT = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the material"),
        column(
            "part", pa.string(), "train, valid (chooses the epoch; only where the split names it) or test"
        ),
    ]
)


def split_materials(
    formulas: Mapping[str, str], method: SplitMethod, train_fraction: float, seed: int, repeat: int
) -> dict[str, str]:
    """Assign each material to a part, by a seeded hash and not by its place in a table.

    Parameters
    ----------
    formulas
        mat_id to formula.
    method
        ``random`` shuffles materials (the study's way; polymorphs of one formula can be in both parts),
        ``formula`` shuffles formulas.
    train_fraction
        Share of the materials in the training part; met exactly (to rounding) by ``random``, as nearly as
        whole groups allow by ``formula``.
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
    groups: dict[str, list[str]] = {}
    for mat_id, formula in formulas.items():
        groups.setdefault(mat_id if method == "random" else formula, []).append(mat_id)
    shuffled = sorted(groups, key=lambda name: (stable_hash("split", seed, repeat, name), name))
    room = round(train_fraction * len(formulas))
    parts: dict[str, str] = {}
    for name in shuffled:
        fits = room >= len(groups[name]) / 2
        parts |= dict.fromkeys(groups[name], TRAIN if fits else TEST)
        room -= len(groups[name]) if fits else 0
    if len(set(parts.values())) < 2:
        raise UserError(
            f"{len(formulas)} materials in {len(groups)} groups cannot be split {train_fraction:g} to "
            f"{1 - train_fraction:g} by {method}: one part is empty. Raise n_materials or mend `split`."
        )
    return parts
