"""Compressed files of several streams, one after the other, as `cat` and parallel compressors write them.

The readers of the standard library stop at the first byte that does not begin a stream, and silently ignore
the rest.  Here that is an error; zero bytes between streams, with which xz pads, are skipped.
"""

import io
from collections.abc import Callable
from typing import IO, Any

READ_BYTES = 1 << 16


class JoinedStreams(io.RawIOBase):
    """The content of all streams of a compressed file.

    Parameters
    ----------
    file
        The compressed file.
    decompressor
        Creates the decompressor of one stream, as in `bz2` and `lzma`.
    """

    def __init__(self, file: IO[bytes], decompressor: Callable[[], Any]) -> None:
        self._file = file
        self._new = decompressor
        self._stream = decompressor()
        self._is_between = False
        # Data that are read but not yet decompressed.
        self._waiting = b""

    def readable(self) -> bool:
        """Return True: the content can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as one step goes; return the number of bytes, 0 at the end.

        Raises
        ------
        EOFError
            If the last stream is truncated.
        OSError, lzma.LZMAError
            If a stream is damaged, or followed by something else.
        """
        content = b""
        while not content:
            if self._stream.eof:
                self._waiting = self._stream.unused_data
                self._stream, self._is_between = self._new(), True
            if self._is_between and not self._found_next():
                return 0
            if self._stream.needs_input and not self._waiting:
                self._waiting = self._file.read(READ_BYTES)
                if not self._waiting:
                    raise EOFError
            content = self._stream.decompress(self._waiting, len(buffer))
            self._waiting = b""
        buffer[: len(content)] = content
        return len(content)

    def _found_next(self) -> bool:
        """Skip zero bytes before the next stream; return False at the end of the file."""
        while True:
            self._waiting = self._waiting.lstrip(b"\0")
            if self._waiting:
                self._is_between = False
                return True
            self._waiting = self._file.read(READ_BYTES)
            if not self._waiting:
                return False
