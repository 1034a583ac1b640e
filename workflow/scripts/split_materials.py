"""Split the sample into training and test part, before anything is fitted."""

from pathlib import Path
from typing import Annotated

from polyfacet.arguments import Key
from polyfacet.composition_tables.positional_split import split_by_position
from polyfacet.materials import SAMPLE
from polyfacet.splitting import SPLIT, SplitMethod, split_materials
from polyfacet.tables import read_table, write_table


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
) -> None:
    """Write the part of every material.

    Parameters
    ----------
    sample
        Table of the sampled materials.
    split
        Output: mat_id and part.
    method, train_fraction, seed, repeat
        See `polyfacet.splitting.split_materials`.
    validation_fraction, random_state
        Of the method ``scikit_learn``, see `split_by_position` in
        `polyfacet.composition_tables.positional_split`.  Without a random state
        each repeat has one of its own, the seed and the number of the repeat added.
    """
    materials = read_table(sample, SAMPLE, columns=["mat_id", "formula"])
    formulas = dict(zip(materials["mat_id"], materials["formula"], strict=True))
    if method == "scikit_learn":
        state = seed + int(repeat) if random_state is None else random_state
        parts = split_by_position(list(formulas), train_fraction, validation_fraction, state)
    else:
        parts = split_materials(formulas, method, train_fraction, seed, int(repeat))
    write_table(split, [{"mat_id": mat_id, "part": parts[mat_id]} for mat_id in sorted(parts)], SPLIT)


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
