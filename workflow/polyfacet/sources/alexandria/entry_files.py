"""Entry files: where they are, which are left out, how many entries they may contain.

A file that is named as a source must be readable.  In a folder, files with the name of an entry file are
read; everything else is left out and reported with the reason.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.blank_files import why_empty
from polyfacet.sources.alexandria.entry_file_names import NAMES_OF_ENTRY_FILES, is_entry_file_name
from polyfacet.sources.compression import COMPRESSIONS, PLAIN_BYTES_PER_ENTRY, stated_compression
from polyfacet.sources.listing import MAX_TOLD, LeftOut, Listing, is_folder

# Other endings of compressed files and archives, which the user has to unpack.
UNREAD_ENDINGS = (".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz2", ".txz", ".z", ".br", ".lz4", ".lz", ".lzo")
# Endings of tables that are not read: only CSV and Parquet are.
OTHER_TABLES = (".tsv", ".tab", ".txt", ".dat", ".xls", ".xlsx", ".ods")
# Records that a download keeps next to its file, and the ending of the file until it is complete.
DOWNLOAD_RECORD = re.compile(r"\..+\.(origin|part\.validator)")
PART_ENDING = ".part"
# Entries in a file published by Alexandria.
ENTRIES_PER_PUBLISHED_FILE = 100_000


def entry_files(sources: Sequence[Path]) -> Listing:
    """List the entry files that are named or are in named folders, each once.

    Parameters
    ----------
    sources
        Files, and folders whose files are read; folders inside these are not searched.

    Raises
    ------
    UserError
        If a source is missing, cannot be read or is not an entry file, or if no file is left to read.
    """
    chosen: dict[Path, None] = {}
    left_out: list[LeftOut] = []
    # Named files come first: they are read even if they may be empty.
    for source in sorted(sources, key=is_folder):
        if is_folder(source):
            for path, why_not in _contents(source):
                reason = why_not or (None if path in chosen else why_empty(path))
                if reason is None:
                    chosen[path] = None
                else:
                    left_out.append(LeftOut(path, reason))
        else:
            reason = _why_not_named(source)
            if reason:
                raise UserError(f"the source {source} cannot be used: {reason}.")
            chosen[source] = None
    files: dict[Path, Path] = {}
    for path in sorted(chosen):
        first = files.setdefault(path.resolve(), path)
        if first is not path:
            left_out.append(LeftOut(path, f"the same file as {first}"))
    if not files:
        folders = ", ".join(str(source) for source in sources)
        reasons = "".join(f"\n  {left.path}: {left.reason}" for left in left_out[:MAX_TOLD])
        raise UserError(
            f"no entry file is in {folders} (names end in {NAMES_OF_ENTRY_FILES}).{reasons}\n"
            "Put entry files there or name another folder. A folder may also hold CIF or POSCAR files;"
            " tables and extended XYZ are named file by file."
        )
    return Listing(list(files.values()), sorted(set(left_out), key=lambda left: left.path))


def readable_files(folder: Path) -> list[Path]:
    """List the files of a folder that are read if it is a source, in order."""
    return sorted(path for path, reason in _contents(folder) if reason is None)


def _contents(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield the contents of a folder, each path with the reason why it is left out, or None."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise UserError(
            f"the folder {folder} cannot be listed: {error.strerror}. Make it readable or name another one."
        ) from error
    for path in paths:
        if DOWNLOAD_RECORD.fullmatch(path.name) or _is_own_download(path):
            continue
        if path.name.startswith("."):
            yield path, "hidden: its name begins with a dot"
        elif is_folder(path):
            yield path, "a folder: name it as a source of its own to read its files"
        else:
            yield path, _why_not(path)


def _is_own_download(path: Path) -> bool:
    """Return whether a file is a running download of the workflow, which leaves a record at its start."""
    records = f".{path.name}.validator", f".{path.name.removesuffix(PART_ENDING)}.origin"
    return path.name.endswith(PART_ENDING) and any(path.with_name(name).exists() for name in records)


def _why_not(path: Path) -> str | None:
    """Return why a file cannot be read; None if no reason is known."""
    return _why_not_by_name(path.name) or _why_not_by_state(path)


def _why_not_named(path: Path) -> str | None:
    """Return why a file that users name as a source cannot be read; None if no reason is known."""
    if not os.path.lexists(path):
        return _why_not_by_state(path)
    reason = _why_not(path)
    if reason and path.name.lower().endswith(OTHER_TABLES):
        return f"{reason}. If it is a table, save it as CSV, with commas between cells and decimal points"
    return reason


def _why_not_by_name(name: str) -> str | None:
    if is_entry_file_name(name):
        return None
    if name.lower().endswith(PART_ENDING):
        return "an unfinished download: finish it, or rename the file if it is complete"
    if name.lower().endswith(UNREAD_ENDINGS):
        ways = ", ".join(known.name for known in COMPRESSIONS)
        return f"packed in a format that is not supported: unpack it, or compress it with {ways}"
    return f"its name does not end in {NAMES_OF_ENTRY_FILES}"


def _why_not_by_state(path: Path) -> str | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        missing = "it does not exist: put the file there or correct the path"
        return f"a link to {path.readlink()}, which does not exist" if path.is_symlink() else missing
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not stat.S_ISREG(state.st_mode):
        return "not a regular file"
    if not state.st_size:
        return "empty (0 bytes)"
    return None if os.access(path, os.R_OK) else "no permission to read it"


def estimated_entries(sources: Iterable[str], published: Collection[str]) -> int:
    """Estimate, without opening a file, the number of entries to sample from.

    Parameters
    ----------
    sources
        Entry files, or folders of entry files.
    published
        Sources that are downloaded: their estimate must not change when they arrive.
    """
    n_entries = 0
    for source in sources:
        if source in published:
            n_entries += ENTRIES_PER_PUBLISHED_FILE
            continue
        path = Path(source)
        if is_folder(path):
            n_entries += sum(map(_entries_by_size, readable_files(path)))
        elif path.is_file():
            n_entries += _entries_by_size(path)
    return n_entries


def _entries_by_size(path: Path) -> int:
    compression = stated_compression(path.name)
    return path.stat().st_size // (compression.bytes_per_entry if compression else PLAIN_BYTES_PER_ENTRY)
