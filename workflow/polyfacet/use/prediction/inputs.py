"""Read new materials: structures, or rows of a table."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.config.tables import ObjectiveColumn, TableSource
from polyfacet.materials.formula import FormulaError
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.materials.stated_formulas import parse_stated_formula
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.runtime.parquet import write_table
from polyfacet.sources.tables.csv_lines import read_lines
from polyfacet.sources.tables.reading import RejectedRow, Row, read_rows
from polyfacet.training.bundles.description import BundleDescription, TableColumns
from polyfacet.use.prediction.facets import is_structural
from polyfacet.use.prediction.structures import read_structures
from polyfacet.use.prediction.tables import LEFT_OUT, NEW_MATERIALS

# Column of formulas of a CSV, and columns that may hold identifiers, in order of preference.
FORMULA = "formula"
IDENTIFIERS = ("mat_id", "material_id", "id", "name")

# A row of ``NEW_MATERIALS`` or, with a reason, of ``LEFT_OUT``.
Read = dict[str, Any]


@dataclass(frozen=True)
class Counts:
    """How many materials were read, and how many of them were left out so far."""

    read: int
    left_out: int


def read_inputs(
    inputs: Sequence[Path], bundle: BundleDescription, materials: Path, left_out: Path, threads: int = 1
) -> Counts:
    """Read new materials; each is either kept or left out with a reason.

    Parameters
    ----------
    inputs
        Files and folders: structures; CSVs of formulas, if no facet of the bundle needs structures; for a
        bundle of a table, CSVs with its columns.
    bundle
        The bundle that predicts them.
    materials, left_out
        Outputs: tables ``NEW_MATERIALS``, ordered by mat_id, and ``LEFT_OUT``.
    threads
        Number of processor cores to use.

    Raises
    ------
    UserError
        If an input cannot be read, or the bundle cannot predict its materials.
    """
    for path in inputs:
        if not path.exists():
            raise UserError(f"{path} does not exist. Name files or folders of new materials.")
    read = [row for group in _read(inputs, bundle, threads) for row in group]
    kept: dict[str, Read] = {}
    rejects: list[Read] = []
    for row in read:
        if "reason" in row:
            rejects.append(row)
        elif row["mat_id"] in kept:
            first = kept[row["mat_id"]]
            place = f"{first['source_file']}, position {first['position']}"
            rejects.append({**_origin(row), "reason": f"duplicate identifier, first in {place}"})
        else:
            kept[row["mat_id"]] = {**dict.fromkeys(NEW_MATERIALS.names), **row}
    write_table(materials, [kept[mat_id] for mat_id in sorted(kept)], NEW_MATERIALS)
    write_table(left_out, rejects, LEFT_OUT)
    return Counts(len(read), len(rejects))


def _read(inputs: Sequence[Path], bundle: BundleDescription, threads: int) -> Iterator[Iterator[Read]]:
    if bundle.table is not None:
        for path in inputs:
            yield _rows_of_table(path, bundle.table)
        return
    structures = []
    for path in inputs:
        if path.suffix.lower() == ".csv" and FORMULA in _header(path):
            yield _rows_of_formulas(path, bundle)
        else:
            structures.append(path)
    if structures:
        yield read_structures(structures, threads)


def _rows_of_formulas(path: Path, bundle: BundleDescription) -> Iterator[Read]:
    """Read a CSV of formulas."""
    structural = [facet.name for facet in bundle.facets if is_structural(facet)]
    if structural:
        raise UserError(
            f"{path} is a table of formulas, but the model looks at {', '.join(structural)}, which needs "
            "structures. Give it structures, or use the bundle of a combination that needs none."
        )
    identifier = next((name for name in IDENTIFIERS if name in _header(path)), None)
    for number, line in enumerate(read_lines(path, [FORMULA, *filter(None, [identifier])]), start=1):
        cells = line.cells
        mat_id = f"{_prefix(path)}-{number:04d}" if cells is None or identifier is None else cells[identifier]
        origin = {"mat_id": mat_id.strip()[:80], "source_file": str(path), "position": line.number}
        reason = invalid_mat_id_reason(mat_id.strip()) or line.problem
        if reason or cells is None:
            yield {**origin, "reason": reason}
            continue
        try:
            # The spelling of a run's formulas: texts depend on it.
            yield {**origin, "formula": reduced_formula(parse_stated_formula(cells[FORMULA].strip()))}
        except FormulaError as error:
            yield {**origin, "reason": str(error)}


def _rows_of_table(path: Path, columns: TableColumns) -> Iterator[Read]:
    """Read a CSV with the columns of a table that a model was trained on, but its objectives."""
    source = TableSource(
        file=str(path),
        id=columns.id,
        composition=columns.composition,
        process=list(columns.process),
        objectives={"unknown": ObjectiveColumn(column="unknown")},
    )
    kept, rejected = read_rows(_prefix(path), source.model_copy(update={"objectives": {}}))
    for row in kept:
        yield _row_of_table(path, row, columns)
    for reject in rejected:
        yield _rejected_row(path, reject)


def _row_of_table(path: Path, row: Row, columns: TableColumns) -> Read:
    origin = {"mat_id": row.mat_id, "source_file": str(path), "position": row.line}
    if foreign := [symbol for symbol in row.amounts if symbol not in columns.elements]:
        return {**origin, "reason": f"no training composition has {', '.join(foreign)}"}
    return {
        **origin,
        "formula": row.formula,
        "composition": [row.amounts.get(symbol, 0.0) for symbol in columns.elements],
        "process": list(row.process),
    }


def _rejected_row(path: Path, row: RejectedRow) -> Read:
    return {"mat_id": row.mat_id, "source_file": str(path), "position": row.line, "reason": row.reason}


def _header(path: Path) -> list[str]:
    """Return the columns of a CSV; none if it has no header, which its reader explains."""
    try:
        return list(pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns)
    except (ValueError, OSError):
        return []


def _prefix(path: Path) -> str:
    """Return the beginning of the identifiers of rows that have none."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", path.stem)[:40]


def _origin(row: Read) -> Read:
    return {name: row[name] for name in ("mat_id", "source_file", "position")}
