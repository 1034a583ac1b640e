"""What a run has to know about its sources before they are read: their files, state and size."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from polyfacet.config.sources import GivenSource, Source
from polyfacet.runtime.file_state import state_of_files
from polyfacet.runtime.folder_state import state_of_folder
from polyfacet.sources.alexandria.entry_files import estimated_entries
from polyfacet.sources.alexandria.remote_files import DOWNLOADS, RemoteFile
from polyfacet.sources.alexandria.source_files import source_files
from polyfacet.sources.detection import format_of, numbers_of_files
from polyfacet.sources.listing import is_folder
from polyfacet.sources.structures.names import is_structure_file_name
from polyfacet.sources.structures.properties_file import properties_file
from polyfacet.sources.structures.sizes import estimated_crystals

Published = Mapping[str, RemoteFile]


def check_formats(sources: Sequence[GivenSource]) -> None:
    """Check that the format of every source is known.

    Raises
    ------
    UserError
        If a folder holds files of several formats.
    """
    for source in map(Source.of, sources):
        format_of(source)


def watched_files(sources: Sequence[GivenSource], published: Published) -> list[str]:
    """Return the files whose changes make a run read its sources again, but for those in folders below.

    Parameters
    ----------
    sources
        The sources as the configuration gives them.
    published
        Files that are downloaded, by name.
    """
    files: list[str] = []
    for source in map(Source.of, sources):
        if not _is_folder_of_structures(source):
            files += source_files([source.path], published)
        if format_of(source) == "files":
            properties = properties_file(source)
            files += [str(properties)] if properties else []
    return list(dict.fromkeys(files))


def watched_folders(sources: Sequence[GivenSource]) -> list[str]:
    """Return the folders of structure files, which may be too many to be watched one by one."""
    folders = [source.path for source in map(Source.of, sources) if _is_folder_of_structures(source)]
    return list(dict.fromkeys(folders))


def state_of_sources(sources: Sequence[GivenSource], published: Published, records: Path) -> str:
    """Return a digest that identifies the content of all sources.

    Parameters
    ----------
    sources, published
        See `watched_files`.
    records
        Folder for records; see `polyfacet.runtime.folder_state`.
    """
    files = state_of_files(watched_files(sources, published))
    folders = [
        f"{folder}:{state_of_folder(Path(folder), is_structure_file_name, records / _record_name(folder))}"
        for folder in watched_folders(sources)
    ]
    return hashlib.sha256("\n".join([files, *folders]).encode()).hexdigest()[:16] if folders else files


def estimated_materials(sources: Sequence[GivenSource], published: Published) -> int:
    """Estimate, without reading a whole file, the number of materials to sample from."""
    downloaded = {str(DOWNLOADS / name) for name in published}
    n_materials = 0
    for source in map(Source.of, sources):
        kind = format_of(source)
        if kind == "alexandria":
            n_materials += estimated_entries(source_files([source.path], published), downloaded)
        elif kind == "files":
            n_materials += numbers_of_files(Path(source.path))[0] or 1
        else:
            n_materials += estimated_crystals(source, kind)
    return n_materials


def _is_folder_of_structures(source: Source) -> bool:
    return format_of(source) == "files" and is_folder(Path(source.path))


def _record_name(folder: str) -> str:
    return f"{hashlib.sha256(str(Path(folder).resolve()).encode()).hexdigest()[:16]}.json"
