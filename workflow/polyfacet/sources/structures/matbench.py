"""The JSON of matbench tasks, as pandas writes data frames: ``index``, ``columns`` and ``data``."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyfacet.config.sources import Source
from polyfacet.runtime.errors import UserError
from polyfacet.sources.file_text import FileText, UnreadableTextError
from polyfacet.sources.items import Item
from polyfacet.sources.json_window import JsonWindow
from polyfacet.sources.listing import Listing
from polyfacet.sources.structures.columns import identifier_column, structure_column, unique_names
from polyfacet.sources.structures.opened import OpenedSource, StatedItem, checked_items
from polyfacet.sources.structures.tables import existing_file, numbered_id, row_item
from polyfacet.sources.values import InvalidEntryError, number, shown

KEYS = ("index", "columns", "data")
# The identifier of a row, beside its columns.
INDEX = "index"


@dataclass(frozen=True)
class MatbenchPart:
    """All rows of a task."""

    path: Path
    id_column: str | None
    structure_column: str | None

    @property
    def label(self) -> str:
        """What is read, for messages about the progress."""
        return f"rows of {self.path.name}"

    def items(self) -> Iterator[Item]:
        """Yield the checked crystals in the order of the rows.

        Raises
        ------
        UserError
            If the file is damaged, or is not the JSON of a task.
        """
        return checked_items(self._stated())

    def _stated(self) -> Iterator[StatedItem]:
        file = str(self.path)
        columns, index = _header(self.path)
        names: tuple[str | None, str] | None = None
        position = -1
        for position, values in enumerate(_rows(self.path)):
            try:
                row = self._row(columns, index, position, values)
            except InvalidEntryError as error:
                yield StatedItem(file, position, None, error)
                continue
            if names is None:
                id_column = identifier_column(file, list(row), self.id_column or INDEX)
                names = id_column, structure_column(file, row, self.structure_column)
            yield row_item(file, position, row, *names)

        _check_length(self.path, index, position + 1)

    def _row(self, columns: list[str], index: list[Any] | None, position: int, values: Any) -> dict[str, Any]:
        if not isinstance(values, list) or len(values) != len(columns):
            raise InvalidEntryError(f"the row is not a list of {len(columns)} values")
        return {INDEX: self._identifier(index, position), **dict(zip(columns, values, strict=True))}

    def _identifier(self, index: list[Any] | None, position: int) -> Any:
        """Return the index of a row: as text if it is one, otherwise as part of an identifier."""
        stated = index[position] if index is not None and position < len(index) else position
        if isinstance(stated, str) or self.id_column not in (None, INDEX):
            return stated
        return numbered_id(str(self.path), _whole_index(stated))


def open_matbench(source: Source) -> OpenedSource:
    """Open a task.

    Raises
    ------
    UserError
        If there is no such file.
    """
    path = existing_file(source)
    return OpenedSource([MatbenchPart(path, source.id, source.structure)], Listing([path], []))


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
    for key, window in _members(path):
        if key == "data":
            yield from _items(window)
            return
        window.value()
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


def _items(window: JsonWindow) -> Iterator[Any]:
    window.take("[")
    while window.peek() != "]":
        yield window.entry()
        if window.peek() != "]":
            window.take_comma()
    window.take("]")
