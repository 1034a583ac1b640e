"""Derive an objective that is not in the sample, for all sampled materials."""

import json
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa

from polyfacet.config.sample import Magnetization
from polyfacet.materials.column_reading import located_reasons, place, rejected_value
from polyfacet.materials.crystal_objectives import (
    CRYSTAL_OBJECTIVES,
    Calculation,
    CrystalObjective,
    ObjectiveError,
    derive,
)
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import REJECTED_VALUES
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import iterate_table, write_table
from polyfacet.runtime.progress import track
from polyfacet.runtime.rejects import check_rejected_fraction

COLUMNS = ("mat_id", "volume", "structure", "data", "source_file", "source_position")


def main(
    sample: Path,
    table: Path,
    rejected: Path,
    *,
    objective: str,
    magnetization: Magnetization,
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
) -> None:
    """Write the values of the objective.

    Parameters
    ----------
    sample
        Table of the sampled materials.
    table, rejected
        Outputs: ``mat_id`` and the objective, missing if an entry lacks the data for it; values outside
        the objective's limits, with file, position and reason.
    objective
        Name of the objective.
    magnetization
        See `polyfacet.materials.crystal_objectives.Calculation`.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.

    Raises
    ------
    UserError
        If the function of the objective fails; the message names the entry.
    """
    declared = CRYSTAL_OBJECTIVES.get(objective)
    mat_ids: list[str] = []
    values: list[float | None] = []
    rejects: list[dict[str, Any]] = []
    pieces = iterate_table(sample, SAMPLE, COLUMNS)
    for row in track((row for piece in pieces for row in piece.to_pylist()), objective):
        mat_ids.append(row["mat_id"])
        try:
            values.append(_value(declared, row, magnetization))
        except ValueError as error:
            values.append(None)
            rejects.append(rejected_value(row, error))
    write_table(rejected, rejects, REJECTED_VALUES)
    reasons = located_reasons(rejects)
    check_rejected_fraction(len(rejects), len(mat_ids), max_rejected_fraction, objective, reasons)
    schema = pa.schema([SAMPLE.field("mat_id"), declared.column])
    write_table(table, pa.table([mat_ids, pa.array(values, pa.float64())], schema=schema), schema)


def _value(objective: CrystalObjective, row: dict[str, Any], magnetization: Magnetization) -> float | None:
    sites = json.loads(row["structure"])["sites"]
    n_atoms = sum(occupant["occu"] for site in sites for occupant in site["species"])
    calculation = Calculation(json.loads(row["data"]), n_atoms, row["volume"], magnetization)
    try:
        return derive(objective, calculation)
    except ObjectiveError as error:
        raise UserError(
            f"{place(row)}: {error}. Correct its `derive`, or let it raise KeyError where an entry lacks "
            "what it needs."
        ) from error


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
