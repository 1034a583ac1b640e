"""The text of a single structure file, whatever its encoding, plain or compressed by gzip."""

import codecs
import errno
import gzip
import os
import zlib
from pathlib import Path

from polyfacet.sources.file_text import BYTE_ORDER_MARKS
from polyfacet.sources.values import InvalidEntryError

GZIP = b"\x1f\x8b"
# The largest structures of databases have a hundredth of this.
MAX_BYTES = 64 << 20
TOO_LARGE = f"the file has more than {MAX_BYTES >> 20} MiB"
# Errors that only concern the file itself.
OF_THE_FILE = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR, errno.ELOOP)


def text_of(path: Path) -> str:
    """Read a structure file.

    Names and comments in other encodings than UTF-8 do not matter: everything else is ASCII.

    Raises
    ------
    InvalidEntryError
        If it cannot be read or is not text.
    """
    try:
        with path.open("rb") as stream:
            # Reading up to a limit would reserve memory for all of it.
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                raise InvalidEntryError(TOO_LARGE)
            content = stream.read()
            if content.startswith(GZIP):
                stream.seek(0)
                with gzip.open(stream) as unpacked:
                    content = unpacked.read(MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidEntryError(f"the compressed file is damaged or truncated: {error}") from error
    except OSError as error:
        if error.errno in OF_THE_FILE:
            raise InvalidEntryError(f"the file cannot be read: {error.strerror}") from error
        raise
    if len(content) > MAX_BYTES:
        raise InvalidEntryError(TOO_LARGE)
    if not content:
        raise InvalidEntryError("the file is empty (0 bytes)")
    return _decoded(content)


def _decoded(content: bytes) -> str:
    mark = next((mark for mark in BYTE_ORDER_MARKS if content.startswith(mark)), b"")
    encoding = BYTE_ORDER_MARKS.get(mark, "utf-8")
    if mark in (b"", codecs.BOM_UTF8) and b"\0" in content:
        raise InvalidEntryError("the file is not text: it contains zero bytes")
    return content[len(mark) :].decode(encoding, errors="replace")
