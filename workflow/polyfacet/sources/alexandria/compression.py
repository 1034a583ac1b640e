"""How a file of entries may be compressed: the endings of names, and how the files begin."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Compression:
    """A way to compress a file.

    Attributes
    ----------
    name
        What it is called.
    endings
        Last parts of file names, in lower case.
    magic
        First bytes of a file.
    bytes_per_entry
        Size of an entry of Alexandria; 1D and 3D ones differ by a factor of 1.7.
    """

    name: str
    endings: tuple[str, ...]
    magic: bytes
    bytes_per_entry: int


COMPRESSIONS = (
    Compression("gzip", (".gz", ".gzip"), b"\x1f\x8b", 750),
    Compression("bzip2", (".bz2",), b"BZh", 600),
    Compression("xz", (".xz",), b"\xfd7zXZ\x00", 600),
    Compression("lzma", (".lzma",), b"\x5d\x00\x00", 600),
    Compression("zstd", (".zst", ".zstd"), b"\x28\xb5\x2f\xfd", 730),
)
PLAIN_BYTES_PER_ENTRY = 4000
# Of these, only what is inside can be read.
ARCHIVES: Mapping[bytes, str] = {b"PK\x03\x04": "ZIP", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR"}
MAGIC_BYTES = max(len(magic) for magic in [*ARCHIVES, *(known.magic for known in COMPRESSIONS)])


def stated_compression(name: str) -> Compression | None:
    """Return the compression that the name of a file states; None for a plain file."""
    return next((known for known in COMPRESSIONS if name.lower().endswith(known.endings)), None)


def found_compression(beginning: bytes) -> Compression | None:
    """Return the compression that the first bytes of a file show; None for a plain file."""
    return next((known for known in COMPRESSIONS if beginning.startswith(known.magic)), None)


def found_archive(beginning: bytes) -> str | None:
    """Name the kind of archive that the first bytes of a file show; None if they show none."""
    return next((kind for magic, kind in ARCHIVES.items() if beginning.startswith(magic)), None)
