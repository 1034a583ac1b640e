"""Read new materials: structures, or rows of a table."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from polyfacet.config.explanation import explain
from polyfacet.config.sources import GivenSource, Source
from polyfacet.config.tables import ObjectiveColumn, TableSource
from polyfacet.elements.symbols import SYMBOLS
from polyfacet.materials.formula import FormulaError
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.materials.stated_formulas import parse_stated_formula
from polyfacet.materials.stated_numbers import is_missing
from polyfacet.materials.stated_values import STATED_ID
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import usable_mat_id
from polyfacet.runtime.parquet import iterate_table, read_table, write_pieces, write_table
from polyfacet.sources.compression import ENDINGS
from polyfacet.sources.csv_lines import read_header, read_lines
from polyfacet.sources.detection import format_of
from polyfacet.sources.draw import Draw
from polyfacet.sources.reading import read_sample
from polyfacet.sources.structures.columns import identifier_column
from polyfacet.sources.structures.numbered_ids import names_of_tables, numbered_id
from polyfacet.sources.structures.properties_file import properties_file
from polyfacet.sources.structures.tables import has_structures
from polyfacet.sources.tables.reading import RejectedRow, Row, read_rows
from polyfacet.training.bundles.description import BundleDescription, TableColumns
from polyfacet.use.prediction.tables import LEFT_OUT, NEW_MATERIALS

# Column of formulas of a CSV.
FORMULA = "formula"
# Column of identifiers of a CSV for a table whose rows had none.
MAT_ID = "mat_id"
# Rows that are read before they become part of a table.
ROWS_AT_A_TIME = 10_000
CSV, TSV = (
    re.compile(rf".+\.{ending}({'|'.join(map(re.escape, ENDINGS))})?", re.IGNORECASE)
    for ending in ("csv", "tsv")
)

# A row of ``NEW_MATERIALS`` or, with a reason, of ``LEFT_OUT``.
Read = dict[str, Any]


@dataclass(frozen=True)
class Counts:
    """How many materials were read, and how many of them were left out so far."""

    read: int
    left_out: int


def read_inputs(
    inputs: Sequence[GivenSource],
    bundle: BundleDescription,
    materials: Path,
    left_out: Path,
    threads: int = 1,
) -> Counts:
    """Read new materials; each is either kept or left out with a reason.

    Parameters
    ----------
    inputs
        Sources of structures, as in a configuration; CSVs of formulas, if no facet of the bundle needs
        structures; for a bundle of a table, CSVs with its columns.  Mappings of the latter two may have the
        key ``id`` besides ``path``.
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
    sources = [source_of(given) for given in inputs]
    if not sources:
        raise UserError("there is nothing to predict. Name files or folders of new materials.")
    for source in sources:
        if not Path(source.path).exists():
            raise UserError(f"{source.path} does not exist. Name files or folders of new materials.")
    if bundle.table is not None:
        for source in sources:
            _check_is_of_rows(source)
        return _write_rows(_rows_of_tables(sources, bundle.table), materials, left_out)
    of_formulas = [source.path for source in sources if is_of_formulas(source)]
    if not of_formulas:
        return _write_structures(sources, materials, left_out, threads)
    if len(of_formulas) < len(sources):
        raise UserError(
            f"{of_formulas[0]} has formulas and other inputs have structures. Predict them separately."
        )
    structural = [facet.name for facet in bundle.facets if facet.needs_structure]
    if structural:
        raise UserError(
            f"{of_formulas[0]} is a table of formulas, but the model looks at {', '.join(structural)}, which "
            "needs structures. Give it structures, or use the bundle of a combination that needs none."
        )
    names = names_of_tables(Path(source.path) for source in sources)
    rows = (_rows_of_formulas(Path(each.path), names[Path(each.path)], each.id) for each in sources)
    return _write_rows(chain.from_iterable(rows), materials, left_out)


def source_of(given: GivenSource) -> Source:
    """Return a source that users give as a path or as a mapping.

    Raises
    ------
    UserError
        If a key is unknown or missing, or a value is wrong.
    """
    try:
        return Source.of(given)
    except ValidationError as error:
        keys = given if isinstance(given, Mapping) else {"path": given}
        problems = "; ".join(explain(error, Source, keys))
        raise UserError(f"the input {str(given)!r} cannot be used: {problems}") from error


def files_of(source: Source) -> list[Path]:
    """Return what a source names: its file or folder, and its CSV of properties if there is one."""
    return [Path(source.path), *filter(None, [properties_file(source)])]


def _write_structures(sources: Sequence[Source], materials: Path, left_out: Path, threads: int) -> Counts:
    """Read structures of any format, with few of them in memory at a time."""
    sample, rejected = (materials.with_name(f"{materials.stem}.{name}") for name in ("sample", "rejected"))
    read = read_sample(
        [_without_found_properties(source) for source in sources],
        sample,
        rejected,
        draw=Draw(None, 0),
        threads=threads,
        need_properties=False,
        distinct_ids=True,
    )
    write_pieces(materials, map(_as_new, iterate_table(sample, SAMPLE)), NEW_MATERIALS)
    rejects = read_table(rejected).rename(columns={"source_position": "position"})
    write_table(left_out, rejects.assign(mat_id=rejects["mat_id"].fillna(""))[LEFT_OUT.names], LEFT_OUT)
    for path in (sample, rejected):
        path.unlink()
    return Counts(int(read.counts["read"]), len(rejects))


def _without_found_properties(source: Source) -> Source:
    """Return structure files without a CSV of properties that nobody named: it would only leave files out.

    Who names its column of identifiers means it.
    """
    is_found = source.properties is None and source.id is None and format_of(source) == "files"
    return source.model_copy(update={"properties": False}) if is_found else source


def _as_new(sample: pa.Table) -> pa.Table:
    columns = {
        "mat_id": sample["mat_id"],
        "stated_id": pa.array(map(_stated_id, sample["data"].to_pylist()), pa.string()),
        "source_file": sample["source_file"],
        "position": sample["source_position"],
        "formula": sample["formula"],
        "n_sites": sample["n_sites"],
        "structure": sample["structure"],
    }
    for field in NEW_MATERIALS:
        columns.setdefault(field.name, pa.nulls(len(sample), field.type))
    return pa.table(columns, schema=NEW_MATERIALS)


def _stated_id(data: str | None) -> str | None:
    """Return the identifier that was replaced, from what the source states of a material."""
    if data is None or f'"{STATED_ID}"' not in data:
        return None
    stated = json.loads(data).get(STATED_ID)
    return stated if isinstance(stated, str) else None


def _write_rows(rows: Iterator[Read], materials: Path, left_out: Path) -> Counts:
    """Write rows by identifier; of those in memory, most are in compact tables."""
    tables, rejects, n_rows = [NEW_MATERIALS.empty_table()], [], 0
    while piece := list(islice(rows, ROWS_AT_A_TIME)):
        n_rows += len(piece)
        rejects += [row for row in piece if "reason" in row]
        kept = [row for row in piece if "reason" not in row]
        tables.append(pa.Table.from_pylist(kept, schema=NEW_MATERIALS))
    found = pa.concat_tables(tables)
    # A stable sort: of rows with the same identifier, the first one stays first.
    order = np.argsort(found["mat_id"].to_numpy(), kind="stable")
    found = found.take(order)
    mat_ids = found["mat_id"].to_numpy()
    is_repeated = np.zeros(len(order), bool)
    is_repeated[1:] = mat_ids[1:] == mat_ids[:-1]
    firsts = np.maximum.accumulate(np.where(is_repeated, 0, np.arange(len(order)))).tolist()
    for number in np.flatnonzero(is_repeated).tolist():
        (repeated,), (first,) = (found.slice(row, 1).to_pylist() for row in (number, firsts[number]))
        place = f"{first['source_file']}, line {first['position']}"
        origin = {name: repeated[name] for name in ("mat_id", "source_file", "position")}
        rejects.append({**origin, "reason": f"duplicate identifier, first in {place}"})
    write_table(materials, found.filter(~is_repeated), NEW_MATERIALS)
    write_table(left_out, rejects, LEFT_OUT)
    return Counts(n_rows, len(rejects))


def is_of_formulas(source: Source) -> bool:
    """Return whether a source is a CSV of formulas without structures; keys other than `id` are of these."""
    path = Path(source.path)
    if _keys_of_structures(source) or not (CSV.fullmatch(path.name) and path.is_file()):
        return False
    return any(name.lower() == FORMULA for name in read_header(path)) and not has_structures(path)


def _keys_of_structures(source: Source) -> list[str]:
    """Return the keys of a source that only structures have."""
    return list(source.model_dump(exclude={"path", "id"}, exclude_none=True))


def _check_is_of_rows(source: Source) -> None:
    path = Path(source.path)
    if path.is_dir() or TSV.fullmatch(path.name):
        what = "a folder" if path.is_dir() else "tab-separated, by its name"
        raise UserError(
            f"the bundle is of a table, but {path} is {what}. Name a CSV with the columns of that table, "
            "with commas between its cells."
        )
    keys = _keys_of_structures(source)
    if keys:
        raise UserError(
            f"the bundle is of a table, but the source {source.path} has `{keys[0]}`, which only structures "
            "have. Remove it: a CSV with the columns of that table is read."
        )


def _rows_of_formulas(path: Path, name: str, stated_column: str | None = None) -> Iterator[Read]:
    """Read a CSV of formulas; rows without identifiers are called by a name and their number."""
    header = read_header(path)
    formula, *others = [column for column in header if column.lower() == FORMULA]
    if others:
        raise UserError(f"{path} has several columns of formulas: {[formula, *others]}. Rename all but one.")
    identifier = identifier_column(str(path), header, stated_column)
    columns = dict.fromkeys([formula, *filter(None, [identifier])])
    number = 0
    for number, line in enumerate(read_lines(path, list(columns)), start=1):
        cells = line.cells
        stated_id = cells[identifier].strip() if cells is not None and identifier is not None else ""
        mat_id = usable_mat_id(stated_id or numbered_id(name, number))
        origin = {"mat_id": mat_id, "source_file": str(path), "position": line.starts_at}
        if cells is None:
            yield {**origin, "reason": line.problem}
            continue
        stated = cells[formula].strip()
        # Na and Nd are elements; NaN is not a compound.
        if is_missing(stated) and stated not in SYMBOLS:
            yield {**origin, "reason": f"{formula} is missing ({stated!r})"}
            continue
        try:
            # The spelling of a run's formulas: texts depend on it.
            found = reduced_formula(parse_stated_formula(stated))
        except FormulaError as error:
            yield {**origin, "reason": str(error)}
            continue
        replaced = {"stated_id": stated_id} if stated_id and mat_id != stated_id else {}
        yield {**origin, **replaced, "formula": found}
    if number == 0:
        raise UserError(f"{path} has a header but no rows.")


def _rows_of_tables(sources: Sequence[Source], columns: TableColumns) -> Iterator[Read]:
    names = names_of_tables(Path(source.path) for source in sources)
    for source in sources:
        path = Path(source.path)
        stated = columns if source.id is None else columns.model_copy(update={"id": source.id})
        yield from _rows_of_table(path, names[path], stated)


def _rows_of_table(path: Path, name: str, columns: TableColumns) -> Iterator[Read]:
    """Read a CSV with the columns of a table that a model was trained on, but its objectives.

    The new rows may have identifiers even if those of the table had none.
    """
    has_own_ids = columns.id is None and MAT_ID in read_header(path)
    source = TableSource(
        file=str(path),
        id=MAT_ID if has_own_ids else columns.id,
        composition=columns.composition,
        process=list(columns.process),
        microstructure=list(columns.microstructure),
        objectives={"unknown": ObjectiveColumn(column="unknown")},
    )
    kept, rejected = read_rows(name, source.model_copy(update={"objectives": {}}))
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
        **row.features,
    }


def _rejected_row(path: Path, row: RejectedRow) -> Read:
    return {"mat_id": row.mat_id, "source_file": str(path), "position": row.line, "reason": row.reason}
