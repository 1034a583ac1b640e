"""Split the materials of a source into training, validation and test parts, before anything is fitted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from polyfacet.materials.derived_objectives import with_derived
from polyfacet.materials.stage_tables import TWINS
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import column_names, read_by_material, read_table, write_table
from polyfacet.runtime.progress import tell
from polyfacet.splits.coverage import write_coverage
from polyfacet.splits.methods import SPLIT_METHODS, SplitSettings, split_materials
from polyfacet.splits.parts import SPLIT


def main(
    sample: Path,
    split: Path,
    *,
    method: str,
    train_fraction: Annotated[float, Key("splits.<split>.train_fraction")],
    seed: Annotated[int, Key("seed")],
    repeat: int,
    coverage: Path | None = None,
    validation_fraction: Annotated[float, Key("splits.<split>.validation_fraction")] = 0.15,
    random_state: Annotated[int | None, Key("splits.<split>.random_state")] = None,
    column: str | None = None,
    file: Path | None = None,
    objective: str | None = None,
    n_folds: Annotated[int | None, Key("splits.<split>.n_folds")] = None,
    derived: Sequence[Path] = (),
    twins: Sequence[Path] = (),
    rounded: bool = False,
) -> None:
    """Write the part of every material, and record the materials without one.

    Parameters
    ----------
    sample
        Table of the materials of a source.
    split
        Output: mat_id, part, and the group that stays together.
    coverage
        Output, as JSON: materials without a part, and identifiers with a part that are not in the sample.
    method
        Name of a method of `polyfacet.splits.methods.SPLIT_METHODS`.
    train_fraction, validation_fraction, seed, repeat, random_state, column, file, objective, n_folds, rounded
        See `polyfacet.splits.methods.SplitSettings`.
    derived
        Table of the objective, if it is not in the sample.
    twins
        Tables of the twins among the materials, one per shard.
    """
    chosen = SPLIT_METHODS.get(method)
    in_sample = [column, None if derived else objective, *chosen.reads]
    wanted = dict.fromkeys(name for name in in_sample if name)
    known = column_names(sample)
    if missing := [name for name in wanted if name not in known]:
        raise UserError(
            f"the split `{method}` uses the column {missing[0]!r}; the sample has {', '.join(known)}."
        )
    # The compositions of crystals follow from their sites, so only formulas of tables may be rounded.
    sites = [] if rounded or "n_sites" not in known else ["n_sites"]
    columns = list(dict.fromkeys(["mat_id", "formula", *sites, *wanted]))
    materials = with_derived(read_table(sample, columns=columns), derived)
    twin_names: dict[str, str] = {}
    for path in twins:
        twin_names |= read_by_material(path, TWINS, "twin_group")
    settings = SplitSettings(
        train_fraction,
        validation_fraction,
        seed,
        int(repeat),
        rounded,
        random_state,
        column,
        file,
        objective,
        n_folds,
    )
    try:
        parts, covered = split_materials(materials, chosen, settings, twin_names)
    except UserError as error:
        raise UserError(f"split `{method}`, repeat {repeat}: {error}") from error
    write_table(split, parts, SPLIT)
    if str(covered):
        tell(f"{split}: {covered}")
    if coverage is not None:
        write_coverage(coverage, covered)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
