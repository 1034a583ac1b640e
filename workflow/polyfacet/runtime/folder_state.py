"""Identify the content of folders with very many small files, while a run is planned.

The state of a folder consists of the names and contents of some of its files, so that copying the folder or
touching a file changes nothing.  What was computed is recorded with the file's size, times and inode: later
runs read only files of which one of these differs.  A file's ctime cannot be set, so no change is missed.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from polyfacet.runtime.files import sha256_of_file

# Of a file that changed shortly before it was read, a second change may not be visible in its times.
SETTLED_NS = 2_000_000_000

# Size, times and inode of a file, and the digest of its content.
Recorded = list[Any]
_RECORDS: dict[Path, dict[str, Recorded]] = {}


def state_of_folder(folder: Path, is_used: Callable[[str], bool], record: Path) -> str:
    """Return a digest of the names and contents of files in a folder (16 hex digits).

    Parameters
    ----------
    folder
        The folder; folders inside it are not searched.
    is_used
        Whether a file of this name counts.
    record
        File that keeps what was computed; created, or ignored where that is not possible.
    """
    known = _record(record)
    found: dict[str, Recorded] = {}
    settled: dict[str, Recorded] = {}
    try:
        with os.scandir(folder) as entries:
            used = [entry for entry in entries if is_used(entry.name)]
    except OSError as error:
        return f"not readable: {error.strerror}"
    for entry in used:
        state = _state(entry, known.get(entry.name))
        if state is not None:
            found[entry.name] = state
            if time.time_ns() - state[2] >= SETTLED_NS:
                settled[entry.name] = state
    if settled != known:
        _RECORDS[record] = settled
        _write(record, settled)
    names_and_contents = [[name, found[name][-1]] for name in sorted(found)]
    return hashlib.sha256(repr(names_and_contents).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _state(entry: "os.DirEntry[str]", known: Recorded | None) -> Recorded | None:
    """Return the state of a file, reading it if necessary; None if it is no file or gone."""
    try:
        stat = entry.stat()
        if not entry.is_file():
            return None
        seen = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        if known is not None and known[:4] == seen:
            return known
        return [*seen, sha256_of_file(Path(entry.path))]
    except OSError as error:
        return None if isinstance(error, FileNotFoundError) else [0, 0, 0, 0, error.strerror]


def _record(path: Path) -> dict[str, Recorded]:
    if path not in _RECORDS:
        content: Any = None
        with suppress(OSError, ValueError):
            content = json.loads(path.read_bytes())
        is_record = isinstance(content, dict) and all(isinstance(each, list) for each in content.values())
        _RECORDS[path] = content if is_record else {}
    return _RECORDS[path]


def _write(path: Path, record: dict[str, Recorded]) -> None:
    """Write the record; several runs may do so at the same time."""
    # Names that are not Unicode cannot be recorded.
    with suppress(OSError, UnicodeEncodeError):
        content = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.write(content)
        Path(part.name).replace(path)
