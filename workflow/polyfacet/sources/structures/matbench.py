"""The JSON of matbench tasks, as pandas writes data frames: ``index``, ``columns`` and ``data``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from polyfacet.config.sources import Source
from polyfacet.runtime.errors import UserError
from polyfacet.sources.file_text import FileText, UnreadableTextError
from polyfacet.sources.json_window import JsonWindow
from polyfacet.sources.listing import Listing
from polyfacet.sources.structures.columns import unique_names
from polyfacet.sources.structures.numbered_ids import numbered_id
from polyfacet.sources.structures.opened import OpenedSource
from polyfacet.sources.structures.tables import PlacedRow, RowsPart, existing_file
from polyfacet.sources.values import InvalidEntryError, number, shown

KEYS = ("index", "columns", "data")
# The identifier of a row, beside its columns.
INDEX = "index"


def open_matbench(source: Source, name: str) -> OpenedSource:
    """Open a task.

    Parameters
    ----------
    source
        The source.
    name
        How it calls rows whose index is a number.

    Raises
    ------
    UserError
        If there is no such file.
    """
    path = existing_file(source)
    rows = partial(_rows_of_task, name=name, id_column=source.id)
    part = RowsPart(path, name, rows, source.id or INDEX, source.structure)
    return OpenedSource([part], Listing([path], []))


def _rows_of_task(path: Path, name: str, id_column: str | None) -> Iterator[PlacedRow]:
    columns, index = _header(path)
    position = -1
    for position, values in enumerate(_rows(path)):
        try:
            if not isinstance(values, list) or len(values) != len(columns):
                raise InvalidEntryError(f"the row is not a list of {len(columns)} values")
            stated = _identifier(name, index, position, id_column)
        except InvalidEntryError as error:
            yield position, error
        else:
            yield position, {INDEX: stated, **dict(zip(columns, values, strict=True))}
    _check_length(path, index, position + 1)


def _identifier(name: str, index: list[Any] | None, position: int, id_column: str | None) -> Any:
    """Return the index of a row: as text if it is one, otherwise as part of an identifier."""
    stated = index[position] if index is not None and position < len(index) else position
    if isinstance(stated, str) or id_column not in (None, INDEX):
        return stated
    return numbered_id(name, _whole_index(stated))


def is_matbench(path: Path) -> bool:
    """Return whether a JSON file begins like the JSON of a task."""
    try:
        with FileText(path) as text:
            window = JsonWindow(text, path)
            if window.peek() != "{":
                return False
            window.take("{")
            key = window.key() if window.peek() == '"' else ""
            if key not in KEYS or window.peek() != "[":
                return False
            # A list of entries may be called `data`, too; the rows of a task are lists.
            window.take("[")
            return key != "data" or window.peek() == "["
    except (UserError, UnreadableTextError, OSError):
        return False


def _header(path: Path) -> tuple[list[str], list[Any] | None]:
    """Return the names of the columns, and the index if there is one."""
    columns: Any = None
    index: Any = None
    for key, window in _members(path):
        if key == "data":
            if columns is not None and index is not None:
                break
            for _ in _items(window):
                pass
        elif key == "columns":
            columns = window.value()
        elif key == "index":
            index = window.value()
        else:
            window.value()
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise UserError(f"{path} is not the JSON of a matbench task: it has no list of `columns`.")
    if index is not None and not isinstance(index, list):
        raise UserError(f"{path} is not the JSON of a matbench task: its `index` is not a list.")
    if INDEX in columns:
        raise UserError(
            f"{path} has a column called `{INDEX}`, beside the index of its rows. Rename the column."
        )
    return unique_names(str(path), columns), index


def _whole_index(stated: Any) -> int:
    """Return the index of a row that is not text.

    Raises
    ------
    InvalidEntryError
        If it is not a whole number, as in tables with several levels of index.
    """
    found = number(stated, "the index of the row")
    if not found.is_integer():
        raise InvalidEntryError(f"the index of the row is {shown(stated)}, neither text nor a whole number")
    return int(stated)


def _check_length(path: Path, index: list[Any] | None, n_rows: int) -> None:
    if index is not None and len(index) != n_rows:
        raise UserError(
            f"{path}: `index` holds {len(index)} identifiers, but `data` has {n_rows} rows, so that no "
            "identifier is certain. Get the file again, or correct it."
        )


def _rows(path: Path) -> Iterator[Any]:
    found = set()
    for key, window in _members(path):
        if key in KEYS and key in found:
            raise UserError(f"{path} has the key `{key}` twice. Keep one of them, or get the file again.")
        found.add(key)
        if key == "data":
            yield from _items(window)
        else:
            window.value()
    if "data" not in found:
        raise UserError(f"{path} is not the JSON of a matbench task: it has no `data`.")


def _members(path: Path) -> Iterator[tuple[str, JsonWindow]]:
    """Yield each key of the document while its value is next in the window."""
    try:
        text = FileText(path)
    except UnreadableTextError as error:
        raise UserError(f"{path}: {error}. {error.advice}") from error
    with text:
        window = JsonWindow(text, path)
        window.take("{")
        while window.peek() != "}":
            yield window.key(), window
            if window.peek() != "}":
                window.take_comma()
        window.take("}")
        if window.peek():
            raise UserError(
                f"{path} goes on after the end of the task. Put each task into a file of its own, or get the "
                "file again."
            )


def _items(window: JsonWindow) -> Iterator[Any]:
    window.take("[")
    while window.peek() != "]":
        yield window.entry()
        if window.peek() != "]":
            window.take_comma()
    window.take("]")
