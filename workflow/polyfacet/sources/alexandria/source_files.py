"""Files that the sources of a run name: local ones, and those that are still to be downloaded."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.entry_files import readable_files
from polyfacet.sources.alexandria.remote_files import DOWNLOADS, RemoteFile


def source_files(sources: Sequence[str], published: Mapping[str, RemoteFile]) -> list[str]:
    """Return the files that a run reads, so that each of them is watched.

    A folder is replaced by its readable files; the download folder also by the published files, which will be
    in it.  Files that a user put there count, whether they are published or not.  A source without a readable
    file is returned unchanged.
    """
    files: list[str] = []
    for source in sources:
        path, names = Path(source), set()
        # The stage that reads a source reports what is wrong with it.
        with suppress(OSError, UserError):
            names = {file.name for file in readable_files(path)} if path.is_dir() else set()
        if path == DOWNLOADS:
            names |= set(published)
        files.extend([str(path / name) for name in sorted(names)] or [source])
    return files
