"""Read a column that the sources of crystals state, for all materials of a sample."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.materials.material import SAMPLE, place_in_file
from polyfacet.materials.stated_values import (
    ONLY_PROPERTY,
    STATED_IN,
    StatedValueError,
    columns_of,
    has_column,
    stated_value,
)
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import iterate_table

# Columns of the sample that say what a source states, and where.
READ = ("mat_id", "data", "source_file", "source_position")
# Materials whose columns a message lists.
MOST_SEARCHED = 1000
# Columns that a message lists.
MOST_LISTED = 60


@dataclass
class ColumnValues:
    """The values of a column.

    Attributes
    ----------
    mat_ids, values
        Identifier and value of each material, in the order of the sample; None where the source states none,
        or none that can be used.
    rejects
        Values that cannot be used, as rows of `polyfacet.materials.stage_tables.REJECTED_VALUES`.
    n_with_column
        Materials whose source has the column, even if it is empty.
    """

    mat_ids: list[str] = field(default_factory=list)
    values: list[float | str | None] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    n_with_column: int = 0

    @property
    def n_known(self) -> int:
        """Number of values that can be used."""
        return sum(value is not None for value in self.values)


def rows_of_sample(sample: Path) -> Iterator[dict[str, Any]]:
    """Yield identifier, origin and stated data (JSON) of each material of a sample."""
    for piece in iterate_table(sample, SAMPLE, READ):
        yield from piece.to_pylist()


def read_column(rows: Iterable[Mapping[str, Any]], column: str, classes: Sequence[str]) -> ColumnValues:
    """Read the values of a column.

    Parameters
    ----------
    rows
        Materials, from `rows_of_sample`.
    column, classes
        See `polyfacet.materials.stated_values.stated_value`.
    """
    found = ColumnValues()
    for row in rows:
        data = json.loads(row["data"])
        found.n_with_column += has_column(data, column)
        found.mat_ids.append(row["mat_id"])
        try:
            found.values.append(stated_value(data, column, classes))
        except StatedValueError as error:
            found.values.append(None)
            found.rejects.append(rejected_value({**row, **_origin(data)}, error))
    return found


def rejected_value(row: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    """Return the reject of a value: its origin, its material, and the reason."""
    where = {name: row[name] for name in ("source_file", "source_position", "mat_id")}
    return {**where, "reason": str(error)}


def _origin(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file and the position of a row of properties, if they are not those of the structure."""
    stated_in = data.get(STATED_IN)
    return dict(zip(("source_file", "source_position"), stated_in, strict=True)) if stated_in else {}


def located_reasons(rejects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the reason of each reject, with the first place that has it."""
    first: dict[str, str] = {}
    for reject in rejects:
        first.setdefault(reject["reason"], place(reject))
    return [f"{reject['reason']} (first in {first[reject['reason']]})" for reject in rejects]


def place(row: Mapping[str, Any]) -> str:
    """Say where a material comes from."""
    return f"{place_in_file(row['source_file'], row['source_position'])} ({row['mat_id']})"


def check_has_values(found: ColumnValues, objective: str, column: str, sample: Path) -> None:
    """Reject a column that does not exist or has no values.

    Raises
    ------
    UserError
        If there is no such column, with those that there are; or if all its values are missing.
    """
    if not found.n_with_column:
        columns = _columns(sample)
        raise UserError(
            f"the objective {objective!r} is the column {column!r}, but the sources have no such column."
            f"{_hint(column, columns)}\n    {what_there_is(sample)}"
        )
    if not found.n_known and not found.rejects:
        raise UserError(
            f"the objective {objective!r} has no values: the column {column!r} is empty for all "
            f"{len(found.values)} materials. Choose another column, or other materials."
        )


def _hint(column: str, columns: Sequence[str]) -> str:
    """Return which column may be meant, or why there are several in its place."""
    numbered = [name for name in columns if name.startswith(f"{ONLY_PROPERTY}_")]
    if column == ONLY_PROPERTY and len(numbered) > 1:
        return (
            f" The file has no header and several columns, called {', '.join(_listed(numbered))}: if its "
            "numbers have decimal commas, write points; otherwise name one of these columns."
        )
    known = {name.lower(): name for name in (*CRYSTAL_OBJECTIVES.all(), *columns)}
    near = difflib.get_close_matches(column.lower(), known, n=1)
    return f" Did you mean {known[near[0]]}?" if near else ""


def what_there_is(sample: Path) -> str:
    """List, for a message, the columns of the sources and the objectives that are derived otherwise."""
    columns = ", ".join(_listed(_columns(sample))) or "none"
    return f"Columns of the sources: {columns}. Other objectives: {', '.join(CRYSTAL_OBJECTIVES.all())}."


def _columns(sample: Path) -> list[str]:
    rows = islice(rows_of_sample(sample), MOST_SEARCHED)
    return columns_of(json.loads(row["data"]) for row in rows)


def _listed(columns: Sequence[str]) -> list[str]:
    more = [f"{len(columns) - MOST_LISTED} more"] if len(columns) > MOST_LISTED else []
    return [*columns[:MOST_LISTED], *more]
