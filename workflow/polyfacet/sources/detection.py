"""The format of a source, from what the configuration says, its name and the names in its folder."""

import os
from functools import lru_cache
from pathlib import Path

from polyfacet.config.sources import USED_BY, Format, Source
from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.entry_file_names import is_entry_file_name
from polyfacet.sources.listing import is_folder
from polyfacet.sources.structures.names import EXTENDED_XYZ, TABLE, is_structure_file_name

# Element features that CGCNN keeps in its folders.
CGCNN_ELEMENTS = "atom_init.json"


def format_of(source: Source) -> Format:
    """Return the format of a source; entries of Alexandria if nothing shows another one.

    Raises
    ------
    UserError
        If a folder holds files of several formats.
    """
    if source.format is not None:
        return source.format
    path = Path(source.path)
    return _format_of_folder(path) if is_folder(path) else _format_of_name(path.name)


def check_keys(source: Source, found: Format) -> None:
    """Check that a source gives no key that its format does not use.

    Raises
    ------
    UserError
        If it does.
    """
    for key, formats in USED_BY.items():
        if getattr(source, key) is not None and found not in formats:
            raise UserError(
                f"the source {source.path} is read as `{found}`, which does not use `{key}`. Remove `{key}`, "
                f"or state a `format` that uses it ({', '.join(formats)})."
            )


def _format_of_name(name: str) -> Format:
    if is_structure_file_name(name):
        return "files"
    if TABLE.fullmatch(name):
        return "table"
    return "extxyz" if EXTENDED_XYZ.fullmatch(name) else "alexandria"


def _format_of_folder(folder: Path) -> Format:
    n_structures, n_entries = numbers_of_files(folder)
    if n_structures and n_entries:
        raise UserError(
            f"the folder {folder} holds both structure files ({n_structures}) and files of entries "
            f"({n_entries}). Put them into separate folders, or say which of them are meant:\n"
            f"      {{path: {folder}, format: files}}"
        )
    return "files" if n_structures else "alexandria"


def numbers_of_files(folder: Path) -> tuple[int, int]:
    """Count, by their names, the structure files and the files of entries in a folder."""
    try:
        return _counted(folder, folder.stat().st_mtime_ns)
    except OSError:
        # The attempt to read the folder reports this.
        return 0, 0


@lru_cache
def _counted(folder: Path, mtime_ns: int) -> tuple[int, int]:
    """Count the files; planning a run asks several times, and there may be very many."""
    names = [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - names only
    n_structures = sum(map(is_structure_file_name, names))
    return n_structures, sum(is_entry_file_name(name) for name in names if name != CGCNN_ELEMENTS)
