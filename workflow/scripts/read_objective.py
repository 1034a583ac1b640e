"""Read an objective that is a column of the sources, for all sampled materials."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa

from polyfacet.materials.column_reading import (
    check_has_values,
    located_reasons,
    read_column,
    rows_of_sample,
)
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import REJECTED_VALUES
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import column, write_table
from polyfacet.runtime.progress import track
from polyfacet.runtime.rejects import check_rejected_fraction


def main(
    sample: Path,
    table: Path,
    rejected: Path,
    *,
    objective: str,
    source_column: str,
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    classes: Sequence[str] = (),
) -> None:
    """Write the values of the objective.

    Parameters
    ----------
    sample
        Table of the sampled materials.
    table, rejected
        Outputs: ``mat_id`` and the objective, missing if the source does not state it; values that cannot be
        used, with file, position and reason.
    objective
        Name of the objective.
    source_column
        Column of the sources, or field of the data block of their entries.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    classes
        Names of its classes; empty for numbers.

    Raises
    ------
    UserError
        If the column does not exist, has no values, or has too many that cannot be used.
    """
    found = read_column(track(rows_of_sample(sample), objective), source_column, classes)
    write_table(rejected, found.rejects, REJECTED_VALUES)
    check_has_values(found, objective, source_column, sample)
    n_rejected, n_all, reasons = len(found.rejects), len(found.values), located_reasons(found.rejects)
    check_rejected_fraction(n_rejected, n_all, max_rejected_fraction, f"objective {objective}", reasons)
    kind = pa.string() if classes else pa.float64()
    values = column(objective, kind, f"column {source_column} of the source", nullable=True)
    schema = pa.schema([SAMPLE.field("mat_id"), values])
    write_table(table, pa.table([found.mat_ids, pa.array(found.values, kind)], schema=schema), schema)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
