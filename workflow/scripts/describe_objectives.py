"""Describe the objectives of a source before anything is trained, and stop where one has no values."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.config.run import CRYSTALS
from polyfacet.materials.column_reading import what_there_is
from polyfacet.materials.objective_statistics import STATISTICS, statistics_of
from polyfacet.materials.objectives import Objective
from polyfacet.reporting.objective_tables import on_screen
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import column_names, read_table, write_table
from polyfacet.runtime.progress import tell


def main(
    sample: Path,
    statistics: Path,
    *,
    source: str,
    objectives: Sequence[Mapping[str, Any]],
    derived: Sequence[Path] = (),
) -> None:
    """Write the statistics of the objectives, and show them on screen.

    Parameters
    ----------
    sample
        Table of the source's materials.
    statistics
        Output: number of values, mean, spread and range, or materials of each class.
    source
        Name of the source.
    objectives
        ``column``, ``classes``, ``label`` and ``unit`` of each objective.
    derived
        Tables of the objectives that have one of their own.

    Raises
    ------
    UserError
        If no material has a value of an objective.
    """
    tables = {name: path for path in derived for name in column_names(path)}
    rows = []
    for each in map(Objective.from_fields, objectives):
        values = read_table(tables.get(each.column, sample), columns=[each.column])[each.column]
        rows.append(statistics_of(values, each))
    tell(on_screen(source, pd.DataFrame(rows)))
    empty = [row["objective"] for row in rows if not row["n"]]
    if empty:
        raise UserError(
            f"no material of {source} has a value of {', '.join(empty)}. {_advice(source, sample)}"
        )
    write_table(statistics, rows, STATISTICS)


def _advice(source: str, sample: Path) -> str:
    if source != CRYSTALS:
        return "Take these out of its `objectives`, or name other columns."
    return (
        "Predefined objectives are derived from the data of Alexandria entries. If your sources state a "
        "value themselves, name its column, for example\n"
        "      objectives: [{name: gap, column: <column>}]\n"
        f"    {what_there_is(sample)}"
    )


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
