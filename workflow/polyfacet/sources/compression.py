"""Compression formats of entry files: their name endings, and the first bytes of the files."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Zstd frames without content, which may come first.
ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
# An lzma header has no magic number: properties, size of the dictionary, size of the content.
LZMA_HEADER_BYTES = 13
LZMA_UNKNOWN_SIZE = 2**64 - 1
LZMA_MAX_SIZE = 2**38
LZMA_MAX_PROPERTIES = 9 * 5 * 5


@dataclass(frozen=True)
class Compression:
    """A way to compress a file.

    Attributes
    ----------
    name
        Name of the format.
    endings
        Endings of file names, in lower case.
    magic
        First bytes of a file, as nearly every program writes them.
    bytes_per_entry
        Compressed size of an Alexandria entry; 1D and 3D entries differ by a factor of 1.7.
    may_begin
        Returns whether other first bytes are also possible.
    """

    name: str
    endings: tuple[str, ...]
    magic: bytes
    bytes_per_entry: int
    may_begin: Callable[[bytes], bool] = lambda beginning: False

    def begins(self, beginning: bytes) -> bool:
        """Return whether the first bytes of a file show this compression."""
        return beginning.startswith(self.magic) or self.may_begin(beginning)


def _begins_skippable(beginning: bytes) -> bool:
    """Return whether a file begins with a zstd frame without content."""
    return bool(ZSTD_SKIPPABLE.match(beginning))


def _is_lzma_header(beginning: bytes) -> bool:
    """Return whether a file begins with a plausible lzma header, by the criteria of `xz`."""
    if len(beginning) < LZMA_HEADER_BYTES or beginning[0] >= LZMA_MAX_PROPERTIES:
        return False
    dictionary = int.from_bytes(beginning[1:5], "little")
    size = int.from_bytes(beginning[5:13], "little")
    # Dictionaries have 2^n bytes, 2^n + 2^(n-1) bytes, or the most that 32 bits can express.
    is_usual = dictionary == 2**32 - 1 or (dictionary and dictionary // (dictionary & -dictionary) in (1, 3))
    return bool(is_usual) and (size == LZMA_UNKNOWN_SIZE or size < LZMA_MAX_SIZE)


COMPRESSIONS = (
    Compression("gzip", (".gz", ".gzip"), b"\x1f\x8b", 750),
    Compression("bzip2", (".bz2",), b"BZh", 600),
    Compression("xz", (".xz",), b"\xfd7zXZ\x00", 600),
    Compression("lzma", (".lzma",), b"\x5d\x00\x00", 600, _is_lzma_header),
    Compression("zstd", (".zst", ".zstd"), b"\x28\xb5\x2f\xfd", 730, _begins_skippable),
)
# Of names of compressed files.
ENDINGS = tuple(ending for known in COMPRESSIONS for ending in known.endings)
PLAIN_BYTES_PER_ENTRY = 4000
# Archives cannot be read, only the files extracted from them.
ARCHIVES: Mapping[bytes, str] = {b"PK\x03\x04": "ZIP", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR"}
MAGIC_BYTES = LZMA_HEADER_BYTES


def stated_compression(name: str) -> Compression | None:
    """Return the compression that the name of a file states; None for a plain file."""
    return next((known for known in COMPRESSIONS if name.lower().endswith(known.endings)), None)


def found_compression(beginning: bytes) -> Compression | None:
    """Return the compression that the first bytes of a file show; None for a plain file."""
    return next((known for known in COMPRESSIONS if known.begins(beginning)), None)


def found_archive(beginning: bytes) -> str | None:
    """Return the kind of archive that the first bytes of a file show; None if it is not an archive."""
    return next((kind for magic, kind in ARCHIVES.items() if beginning.startswith(magic)), None)
