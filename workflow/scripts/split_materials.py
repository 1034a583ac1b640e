"""Split the sample into training and test part, before anything is fitted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from polyfacet.materials.material import SAMPLE
from polyfacet.materials.same_composition import composition_groups
from polyfacet.materials.stage_tables import TWINS
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import read_by_material, write_table
from polyfacet.splits.parts import SPLIT, SplitMethod, indivisible_groups, split_materials
from polyfacet.splits.positional import split_by_position


def main(
    sample: Path,
    split: Path,
    *,
    method: SplitMethod,
    train_fraction: Annotated[float, Key("split.train_fraction")],
    seed: Annotated[int, Key("seed")],
    repeat: int,
    validation_fraction: Annotated[float, Key("engine.validation_fraction")] = 0.15,
    random_state: Annotated[int | None, Key("split.random_state")] = None,
    twins: Sequence[Path] = (),
    rounded: bool = False,
) -> None:
    """Write the part of every material.

    Parameters
    ----------
    sample
        Table of the sampled materials.
    split
        Output: mat_id, part, and the group that stays together.
    method
        See `polyfacet.splits.parts.indivisible_groups`.
    train_fraction, seed, repeat
        See `polyfacet.splits.parts.split_materials`.
    validation_fraction, random_state
        Of the method ``scikit_learn``, see `split_by_position` in
        `polyfacet.splits.positional`.  Without a random state
        each repeat has one of its own, the seed and the number of the repeat added.
    twins
        Tables of the twins among them, one per shard.
    rounded
        Whether formulas are as someone wrote and rounded them, so that compositions must be compared.
    """
    formulas = read_by_material(sample, SAMPLE, "formula")
    if rounded and method == "formula":
        formulas = composition_groups(formulas)
    twin_names: dict[str, str] = {}
    for path in twins:
        twin_names |= read_by_material(path, TWINS, "twin_group")
    groups = indivisible_groups(formulas, method, twin_names)
    if method == "scikit_learn":
        state = seed + int(repeat) if random_state is None else random_state
        parts = split_by_position(list(formulas), train_fraction, validation_fraction, state)
    else:
        parts = split_materials(groups, train_fraction, seed, int(repeat))
    rows = [{"mat_id": mat_id, "group": groups[mat_id], "part": parts[mat_id]} for mat_id in sorted(parts)]
    write_table(split, rows, SPLIT)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
