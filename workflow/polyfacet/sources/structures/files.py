"""Folders of CIF or POSCAR files, with or without a CSV of their properties."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polyfacet.config.sources import Source
from polyfacet.materials.stated_values import STATED_IN
from polyfacet.runtime.errors import UserError
from polyfacet.sources.csv_lines import Line
from polyfacet.sources.items import Item, Part, Rejected, shown_file, shown_id
from polyfacet.sources.listing import LeftOut, Listing, is_folder
from polyfacet.sources.structures.crystals import Crystal
from polyfacet.sources.structures.file_contents import text_of
from polyfacet.sources.structures.formula_columns import formula_columns
from polyfacet.sources.structures.names import (
    CIF,
    NAMES_OF_STRUCTURE_FILES,
    is_structure_file_name,
    plain_file_name,
    without_ending,
)
from polyfacet.sources.structures.opened import OpenedSource, StatedItem, checked_items
from polyfacet.sources.structures.properties import read_properties
from polyfacet.sources.structures.properties_file import properties_file
from polyfacet.sources.structures.texts import crystal_from_cif, crystal_from_poscar
from polyfacet.sources.values import InvalidEntryError

# One process reads so many files at a time.
FILES_PER_PART = 250
# Columns of formulas are recognized by so many rows of a CSV.
LINES_LOOKED_AT = 20


@dataclass(frozen=True)
class StructureFile:
    """A structure file.

    Parameters
    ----------
    path
        The file.
    stated_id
        Its identifier.
    data
        Its row of the CSV; None if there is a CSV without such a row.
    """

    path: Path
    stated_id: str
    data: Mapping[str, Any] | None


@dataclass(frozen=True)
class FilesPart:
    """Some of the files of a source."""

    label: str
    files: Sequence[StructureFile]
    properties: Path | None
    formula_columns: Sequence[str] = ()

    def items(self) -> Iterator[Item]:
        """Yield the checked crystals in the order of the files."""
        return checked_items(map(self._stated, self.files))

    def _stated(self, file: StructureFile) -> StatedItem:
        try:
            if file.data is None and self.properties is not None:
                raise InvalidEntryError(f"no row of {self.properties.name} names this file")
            crystal: Crystal | InvalidEntryError = _crystal(file, self.formula_columns)
        except InvalidEntryError as error:
            crystal = error
        return StatedItem(shown_file(file.path), 0, file.stated_id, crystal)


@dataclass(frozen=True)
class RejectedRows:
    """Rows of a CSV that name no file."""

    label: str
    rows: Sequence[Item]

    def items(self) -> Iterator[Item]:
        """Yield the rows."""
        return iter(self.rows)


@dataclass
class _Matched:
    """Files and rows that belong together."""

    files: list[StructureFile] = field(default_factory=list)
    rejected_rows: list[Item] = field(default_factory=list)
    formula_columns: Sequence[str] = ()


def open_files(source: Source) -> OpenedSource:
    """List the files of a source, and the rows of the CSV that they belong to.

    Raises
    ------
    UserError
        If there is no such folder or file, or the CSV cannot be read.
    """
    path = Path(source.path)
    listing = list_structure_files(source)
    stated_csv = properties_file(source)
    if stated_csv is None:
        if source.id is not None:
            raise UserError(
                f"the source {path} names the column {source.id!r} of a CSV of properties as `id`, but has "
                "no such CSV. Name the CSV as `properties`, or remove `id`."
            )
        matched = _Matched([StructureFile(file, without_ending(file.name), None) for file in listing.files])
    else:
        _check_is_there(stated_csv, path)
        matched = _matched(listing.files, stated_csv, source.id, path)
    parts: list[Part] = [
        FilesPart(
            f"structures of {path.name}",
            matched.files[i : i + FILES_PER_PART],
            stated_csv,
            matched.formula_columns,
        )
        for i in range(0, len(matched.files), FILES_PER_PART)
    ]
    if matched.rejected_rows and stated_csv is not None:
        parts.append(RejectedRows(f"rows of {stated_csv.name}", matched.rejected_rows))
    return OpenedSource(parts, listing)


def _check_is_there(stated_csv: Path, path: Path) -> None:
    if not stated_csv.is_file():
        folder = path if is_folder(path) else path.parent
        raise UserError(
            f"the CSV of properties {stated_csv} cannot be read: there is no such file, neither in {folder} "
            "nor by this path. Correct `properties`."
        )


def list_structure_files(source: Source) -> Listing:
    """List the files of a source in order, and what is left out.

    Raises
    ------
    UserError
        If there is no such folder or file, or no structure file in it.
    """
    path = Path(source.path)
    if not is_folder(path):
        if not path.is_file():
            raise UserError(f"the source {path} cannot be used: there is no such file. Correct the path.")
        return Listing([path], [])
    used = properties_file(source)
    files, left_out = [], []
    for entry in _entries(path):
        reason = _why_not(entry)
        if reason is None:
            files.append(Path(entry.path))
        elif used is None or entry.name != used.name or path != used.parent:
            left_out.append(LeftOut(Path(entry.path), reason))
    if not files:
        raise UserError(
            f"no structure file is in {path} (names end in {NAMES_OF_STRUCTURE_FILES}). Put files there or "
            "name another folder."
        )
    return Listing(files, left_out)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(
            f"the folder {folder} cannot be listed: {error.strerror}. Make it readable or name another one."
        ) from error


def _why_not(entry: "os.DirEntry[str]") -> str | None:
    """Return why something in a folder is not read; None if it is."""
    if entry.name.startswith("."):
        return "hidden: its name begins with a dot"
    try:
        is_file, is_deeper = entry.is_file(), entry.is_dir()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if is_deeper:
        return "a folder: name it as a source of its own to read its files"
    if not is_structure_file_name(entry.name):
        return f"its name does not end in {NAMES_OF_STRUCTURE_FILES}"
    return None if is_file else _why_no_file(entry)


def _why_no_file(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return f"a link to {Path(entry.path).readlink()}, which does not exist"
    return "not a regular file"


def _matched(files: Sequence[Path], path: Path, id_column: str | None, folder: Path) -> _Matched:
    """Find the row of each file."""
    by_name: dict[str, list[Path]] = {}
    for file in files:
        for name in dict.fromkeys((file.name, without_ending(file.name))):
            by_name.setdefault(name, []).append(file)
    properties = read_properties(path, id_column, by_name.keys())
    rows: dict[Path, Line] = {}
    beginning = (line.cells for line in properties.lines[:LINES_LOOKED_AT] if line.cells is not None)
    matched = _Matched(formula_columns=formula_columns(beginning, properties.id_column))
    for line in properties.lines:
        stated = _stated_name(line, properties.id_column)
        try:
            file = _file_of(line, stated, by_name, folder)
            if file in rows:
                raise InvalidEntryError(f"duplicate identifier, first in line {rows[file].number}")
        except InvalidEntryError as error:
            rejected = Rejected(shown_id(stated), str(error))
            matched.rejected_rows.append(Item(str(path), line.number, rejected))
        else:
            rows[file] = line
    for file in files:
        stated, data = without_ending(file.name), None
        if file in rows:
            line = rows[file]
            cells = line.cells or {}
            stated = plain_file_name(cells[properties.id_column])
            data = {**cells, STATED_IN: [str(path), line.number]}
        matched.files.append(StructureFile(file, stated, data))
    return matched


def _stated_name(line: Line, id_column: str) -> str | None:
    return plain_file_name(line.cells[id_column]) if line.cells is not None else None


def _file_of(line: Line, stated: str | None, by_name: Mapping[str, Sequence[Path]], folder: Path) -> Path:
    """Return the file that a row names, with or without its ending.

    Raises
    ------
    InvalidEntryError
        If it does not name exactly one.
    """
    if line.cells is None:
        raise InvalidEntryError(f"line {line.number}: {line.problem}")
    if not stated:
        raise InvalidEntryError("the identifier is missing")
    named = by_name.get(stated, ())
    # A name with its ending is that of one file, even if it is another's without.
    exact = [file for file in named if file.name == stated] or named
    if not exact:
        raise InvalidEntryError(f"no structure file of this name is in {folder}")
    if len(exact) > 1:
        names = ", ".join(file.name for file in exact[:5])
        raise InvalidEntryError(f"several files have this name ({names}): write it with its ending")
    return exact[0]


def _crystal(file: StructureFile, formula_columns: Sequence[str]) -> Crystal:
    text = text_of(file.path)
    read = crystal_from_cif if CIF.fullmatch(file.path.name) else crystal_from_poscar
    crystal = read(text)
    return Crystal(crystal.structure, file.data or {}, crystal.space_group, formula_columns)
