"""The text of a file, whatever its compression and encoding.

The first bytes decide, not the name: files are renamed, and browsers unpack downloads.
"""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from polyfacet.runtime.errors import UserError
from polyfacet.sources.compression import (
    MAGIC_BYTES,
    found_archive,
    found_compression,
    stated_compression,
)
from polyfacet.sources.joined_streams import JoinedStreams

GET_AGAIN = "Get the file again; a partial file is never used."
SAVE_AS_UTF8 = "Save it as UTF-8, or get it again if it was UTF-8."
UNPACK = "Unpack it and name the extracted files instead."
# UTF-32 first: its mark begins like that of UTF-16.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def _zstd(stream: IO[bytes]) -> Any:
    # Arrow is imported only for files that need it.
    import pyarrow as pa  # noqa: PLC0415

    return pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")


OPENERS: Mapping[str, Callable[[Any], Any]] = {
    "gzip": lambda stream: gzip.GzipFile(fileobj=stream),
    "bzip2": lambda stream: JoinedStreams(stream, bz2.BZ2Decompressor),
    "xz": lambda stream: JoinedStreams(stream, lzma.LZMADecompressor),
    "lzma": lambda stream: JoinedStreams(stream, lzma.LZMADecompressor),
    "zstd": _zstd,
}


JSON_BEGINNINGS = (b"[", b"{")
ANY_BEGINNING = (b"",)


class UnreadableTextError(ValueError):
    """A file that is not text or is damaged; the message says what is wrong, ``advice`` what to do."""

    def __init__(self, what: str, advice: str = GET_AGAIN) -> None:
        super().__init__(what)
        self.advice = advice


class FileText:
    """A file, read as text piece by piece.

    Parameters
    ----------
    path
        The file, plain or compressed.
    beginnings
        How a plain file may begin whose name says that it is compressed; any other is damaged.

    Raises
    ------
    UserError
        If the file cannot be opened.
    UnreadableTextError
        If it is not text or is damaged; also later, when it is read.
    """

    def __init__(self, path: Path, beginnings: tuple[bytes, ...] = JSON_BEGINNINGS) -> None:
        self._beginnings = beginnings
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UserError(
                f"{path} cannot be opened: {error.strerror}. Make it readable or leave it out."
            ) from error
        try:
            self._text = self._opened(path)
        except BaseException:
            self._file.close()
            raise

    def _opened(self, path: Path) -> IO[str]:
        beginning = self._file.read(MAGIC_BYTES)
        self._file.seek(0)
        archive = found_archive(beginning)
        if archive:
            raise UnreadableTextError(f"it is a {archive} archive", UNPACK)
        compression = found_compression(beginning)
        stated = stated_compression(path.name)
        if (
            stated
            and not compression
            and not beginning.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(self._beginnings)
        ):
            raise UnreadableTextError(f"the file is damaged: it is neither {stated.name} nor JSON")
        stream = OPENERS[compression.name](self._file) if compression else self._file
        content = io.BufferedReader(stream)
        start = self._guarded(lambda: content.peek(4)[:4])
        mark = next((mark for mark in BYTE_ORDER_MARKS if start.startswith(mark)), b"")
        content.read(len(mark))
        return io.TextIOWrapper(content, encoding=BYTE_ORDER_MARKS.get(mark, "utf-8"), newline="")

    def read(self, n_chars: int) -> str:
        """Read on; empty at the end of the file."""
        return self._guarded(lambda: self._text.read(n_chars))

    def lines(self) -> Iterator[str]:
        """Yield the remaining lines, with their ends."""
        while line := self._guarded(self._text.readline):
            yield line

    @staticmethod
    def _guarded(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except EOFError as error:
            raise UnreadableTextError("the compressed file is truncated") from error
        except UnicodeDecodeError as error:
            raise UnreadableTextError(
                f"the text is not {error.encoding.upper()} ({error.reason})", SAVE_AS_UTF8
            ) from error
        except (OSError, zlib.error, lzma.LZMAError) as error:
            what = "truncated" if "truncated" in str(error).lower() else f"damaged ({error})"
            raise UnreadableTextError(f"the file is {what}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.close()
        self._file.close()
