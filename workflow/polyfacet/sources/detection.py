"""The format of a source, from what the configuration says, its name and the names in its folder."""

from pathlib import Path

from polyfacet.config.sources import Format, Source
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


def _format_of_name(name: str) -> Format:
    if is_structure_file_name(name):
        return "files"
    if TABLE.fullmatch(name):
        return "table"
    return "extxyz" if EXTENDED_XYZ.fullmatch(name) else "alexandria"


def _format_of_folder(folder: Path) -> Format:
    try:
        names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        # The attempt to read the folder reports this.
        return "alexandria"
    n_structures = sum(map(is_structure_file_name, names))
    n_entries = sum(is_entry_file_name(name) for name in names if name != CGCNN_ELEMENTS)
    if n_structures and n_entries:
        raise UserError(
            f"the folder {folder} holds both structure files ({n_structures}) and files of entries "
            f"({n_entries}). Put them into separate folders, or say which of them are meant:\n"
            f"      sources: [{{path: {folder}, format: files}}]"
        )
    return "files" if n_structures else "alexandria"
