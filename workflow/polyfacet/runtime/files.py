"""Write outputs that appear complete or not at all, even on power loss, and compute digests of files."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from polyfacet.runtime.errors import UserError

# Suffix of unfinished files and folders.
PART = ".part"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a path next to ``path`` to write to; rename it into place when the block ends without an error.

    Works for files and folders (create the folder at the yielded path).  A crash leaves only ``.part``
    behind, which the next attempt removes.  Content is on the disk before it is renamed (see
    `move_into_place`).
    """
    part = path.with_name(path.name + PART)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(part)
    yield part
    if part.is_dir():
        _remove(path)
    move_into_place(part, path)


def move_into_place(part: Path, path: Path) -> None:
    """Rename a finished file or folder so that ``path`` is complete even after a power loss.

    A file system may write the new name to the disk before the content.  So the content is synchronized
    first, then the folder that contains it.  Inside an unfinished folder, this is deferred until the folder
    is finished.
    """
    if any(folder.suffix == PART for folder in path.parents):
        part.replace(path)
        return
    for folder, _, names in os.walk(part, topdown=False):
        for name in names:
            _synchronize(Path(folder, name))
        _synchronize(Path(folder))
    if not part.is_dir():
        _synchronize(part)
    part.replace(path)
    _synchronize(path.parent)


def _synchronize(path: Path) -> None:
    """Write a file, or the names in a folder, to the disk, if the file system supports it."""
    if path.is_symlink():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder, removed when the block ends; remains of a crash are removed first."""
    _remove(path)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        _remove(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically (UTF-8)."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def unreadable(path: Path, error: Exception) -> UserError:
    """Return the error for a file that cannot be read; Snakemake recreates damaged outputs once deleted."""
    if isinstance(error, FileNotFoundError) or not path.exists():
        return UserError(f"{path} does not exist.")
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return UserError(f"{path} is a folder, not a file.")
    if isinstance(error, OSError) and error.errno:
        return UserError(f"{path} cannot be read: {error.strerror}.")
    return UserError(
        f"{path} cannot be read ({error}). If a run created it, it is damaged. Delete it and run again."
    )


def link_file(source: Path, target: Path) -> None:
    """Create a hard link to a file, or a copy if the file system does not support hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def link_files(source: Path, target: Path, names: Iterable[str]) -> None:
    """Link files of a folder into another folder, under the same relative names."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        link_file(source / name, target / name)


def link_folder(source: Path, target: Path) -> None:
    """Create a folder with hard links to all files of another one."""
    target.mkdir()
    names = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    link_files(source, target, names)


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """Return one SHA-256 hex digest over the relative names and bytes of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{sha256_of_file(path)}\n".encode())
    return digest.hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
