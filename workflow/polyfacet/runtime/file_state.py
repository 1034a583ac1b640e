"""Identify the content of files that users provide, without reading large files completely.

Snakemake reruns a job when one of its inputs is newer than its outputs.  A file that is replaced by an older
one, for example with ``cp -p`` or ``mv``, or a link with a new target, may not be newer; so a digest of this
state is a parameter of the rules that read such files.

The state of a file of up to `WHOLE_BYTES` is its content.  That of a larger file consists of its resolved
path, size and modification time, and of its last bytes, where gzip, bzip2 and xz store checksums of the
content.  A downloaded file that has not been touched since has the same state as before the download.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Self

from polyfacet.runtime.files import sha256_of_file, write_text

WHOLE_BYTES = 1 << 20
LAST_BYTES = 1 << 16


@dataclass(frozen=True)
class Origin:
    """Where a file was downloaded from, and what identifies it; stored next to the file."""

    url: str
    sha256: str
    size: int
    mtime_ns: int

    @staticmethod
    def path(file: Path) -> Path:
        """Return the path where the origin of a file is stored."""
        return file.with_name(f".{file.name}.origin")

    @classmethod
    def write(cls, file: Path, url: str, sha256: str, part: Path) -> None:
        """Record the origin of a file that is still named ``part``."""
        state = part.stat()
        text = json.dumps(asdict(cls(url, sha256, state.st_size, state.st_mtime_ns)), indent=2)
        write_text(cls.path(file), text + "\n")

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Read the recorded origin of a file; None if there is no record or it is damaged."""
        try:
            return cls(**json.loads(cls.path(file).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def state_of_files(paths: Iterable[str | Path]) -> str:
    """Return a digest of the names and states of files (16 hex digits)."""
    states = [[str(path), *_state(Path(path))] for path in paths]
    return hashlib.sha256(json.dumps(states).encode()).hexdigest()[:16]


def _state(path: Path) -> list[str]:
    try:
        found = path.stat()
        origin = Origin.read(path)
        if origin and (origin.size, origin.mtime_ns) == (found.st_size, found.st_mtime_ns):
            return ["to be downloaded"]
        return list(_content(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    except FileNotFoundError:
        return ["to be downloaded"]
    except OSError as error:
        return [f"not readable: {error.strerror}"]


@cache
def _content(path: Path, size: int, mtime_ns: int, ctime_ns: int) -> tuple[str, ...]:
    """Identify the content of a file; cached because planning a run asks for it several times."""
    if size <= WHOLE_BYTES:
        return (sha256_of_file(path),)
    with path.open("rb") as stream:
        stream.seek(-LAST_BYTES, os.SEEK_END)
        last = hashlib.sha256(stream.read()).hexdigest()
    return _place(path), str(size), str(mtime_ns), last


def _place(path: Path) -> str:
    """Return a resolved path, relative if inside the working directory so that this can be moved."""
    place, here = path.resolve(), Path.cwd().resolve()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)
