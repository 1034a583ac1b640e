"""Files of entries: where they are, which are left out, how many entries they may hold.

A file that is named as a source must be readable.  Of a folder, the files are read whose names say that they
hold entries; whatever else is there is left out by name and with the reason.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.progress import tell
from polyfacet.sources.alexandria.blank_files import why_empty
from polyfacet.sources.alexandria.compression import COMPRESSIONS, PLAIN_BYTES_PER_ENTRY, stated_compression
from polyfacet.sources.alexandria.entry_file_names import NAMES_OF_ENTRY_FILES, is_entry_file_name

# Other endings of compressed files and archives, which have to be unpacked.
UNREAD_ENDINGS = (".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz2", ".txz", ".z", ".br", ".lz4", ".lz", ".lzo")
# What the download of a file keeps beside it, and how the file is called until it is whole.
DOWNLOAD_RECORD = re.compile(r"\..+\.(origin|part\.validator)")
PART_ENDING = ".part"
# Entries in a file as Alexandria publishes it.
ENTRIES_PER_PUBLISHED_FILE = 100_000
MAX_TOLD = 10


@dataclass(frozen=True)
class LeftOut:
    """Something in a folder that is not read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class EntryFiles:
    """What sources name: the files to read, in a fixed order, and what is left out of their folders."""

    files: list[Path]
    left_out: list[LeftOut]

    def summary(self) -> dict[str, Any]:
        """Return how many files are read, and what is left out by name and reason, for JSON."""
        left_out = [{"file": str(left.path), "reason": left.reason} for left in self.left_out]
        return {"files": len(self.files), "files_left_out": left_out}

    def tell_left_out(self) -> None:
        """Say on screen what is left out."""
        for left in self.left_out[:MAX_TOLD]:
            tell(f"left out: {left.path} ({left.reason})")
        if len(self.left_out) > MAX_TOLD:
            tell(f"left out: {len(self.left_out) - MAX_TOLD} more, all of them in the summary")


def entry_files(sources: Sequence[Path]) -> EntryFiles:
    """List the entry files that files and folders name, each once.

    Parameters
    ----------
    sources
        Files, and folders whose files are read; the folders inside of these are not.

    Raises
    ------
    UserError
        If a source does not exist, cannot be read or is not an entry file, or if no file is left to read.
    """
    chosen: dict[Path, None] = {}
    left_out: list[LeftOut] = []
    # What is named comes first: it is read although it may be empty.
    for source in sorted(sources, key=_is_folder):
        if _is_folder(source):
            for path, why_not in _contents(source):
                reason = why_not or (None if path in chosen else why_empty(path))
                if reason is None:
                    chosen[path] = None
                else:
                    left_out.append(LeftOut(path, reason))
        else:
            reason = _why_not(source)
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
            "Put files of entries there or change `sources`."
        )
    return EntryFiles(list(files.values()), sorted(set(left_out), key=lambda left: left.path))


def readable_files(folder: Path) -> list[Path]:
    """List the files of a folder that are read when it is a source, in order."""
    return sorted(path for path, reason in _contents(folder) if reason is None)


def _contents(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield what is in a folder, each with the reason for which it is left out, or None."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise UserError(
            f"the folder {folder} cannot be listed: {error.strerror}. Make it readable or change `sources`."
        ) from error
    for path in paths:
        if DOWNLOAD_RECORD.fullmatch(path.name) or _is_own_download(path):
            continue
        if path.name.startswith("."):
            yield path, "hidden: its name begins with a dot"
        elif _is_folder(path):
            yield path, "a folder: name it in `sources` to read what is in it"
        else:
            yield path, _why_not(path)


def _is_own_download(path: Path) -> bool:
    """Whether this is a download of the workflow that goes on: it leaves a record of what it has begun."""
    records = f".{path.name}.validator", f".{path.name.removesuffix(PART_ENDING)}.origin"
    return path.name.endswith(PART_ENDING) and any(path.with_name(name).exists() for name in records)


def _why_not(path: Path) -> str | None:
    """Say why a file cannot be read as one of entries; None if nothing is known against it."""
    return _why_not_by_name(path.name) or _why_not_by_state(path)


def _why_not_by_name(name: str) -> str | None:
    if is_entry_file_name(name):
        return None
    if name.lower().endswith(PART_ENDING):
        return "an unfinished download: finish it, or rename the file if it is whole"
    if name.lower().endswith(UNREAD_ENDINGS):
        ways = ", ".join(known.name for known in COMPRESSIONS)
        return f"packed in a way that is not read here: unpack it, or compress it by {ways}"
    return f"its name does not end in {NAMES_OF_ENTRY_FILES}"


def _why_not_by_state(path: Path) -> str | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        missing = "it does not exist: put the file there or change `sources`"
        return f"a link to {path.readlink()}, which does not exist" if path.is_symlink() else missing
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not stat.S_ISREG(state.st_mode):
        return "not a regular file"
    if not state.st_size:
        return "empty (0 bytes)"
    return None if os.access(path, os.R_OK) else "no permission to read it"


def _is_folder(path: Path) -> bool:
    # What cannot be looked at is told of where it is to be read.
    with suppress(OSError):
        return path.is_dir()
    return False


def estimated_entries(sources: Iterable[str], published: Collection[str]) -> int:
    """Estimate, without opening a file, how many entries there are to sample from.

    Parameters
    ----------
    sources
        Entry files, or folders of them.
    published
        Sources that are downloaded: what they count for must not change when they arrive.
    """
    n_entries = 0
    for source in sources:
        if source in published:
            n_entries += ENTRIES_PER_PUBLISHED_FILE
            continue
        path = Path(source)
        if _is_folder(path):
            n_entries += sum(map(_entries_by_size, readable_files(path)))
        elif path.is_file():
            n_entries += _entries_by_size(path)
    return n_entries


def _entries_by_size(path: Path) -> int:
    compression = stated_compression(path.name)
    return path.stat().st_size // (compression.bytes_per_entry if compression else PLAIN_BYTES_PER_ENTRY)
