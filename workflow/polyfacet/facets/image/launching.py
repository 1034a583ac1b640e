"""What Chromium needs to start: a short folder for its socket, its sandbox, and an ear for what it says."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Chromium makes <folder>/org.chromium.Chromium.XXXXXX/SingletonSocket; paths of sockets have 107 bytes.
LONGEST_FOLDER = 60
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - the folder made there is this user's alone
ROOT = "the browser is run by root"

_SAID = re.compile(r"^\[pid=\d+\]\[(?:err|out)\] (.*)$", re.MULTILINE)
# Place in the source, number of the process and time.
_PREFIX = re.compile(r"^\[[\d:/.]*:?[A-Z]*:?[^\]]*\]\s*")
_NO_SANDBOX = "Chromium sandboxing failed"
_WORDS = 300


@contextmanager
def short_temporary_folder() -> Iterator[Path]:
    """Yield a folder whose path is short enough for the socket of a browser.

    It is the usual one where that is short; else a new one, of this user alone, which is gone afterwards.
    """
    usual = Path(tempfile.gettempdir())
    short = next((folder for folder in SHORT_FOLDERS if _can_be_written(folder)), None)
    if len(os.fsencode(usual)) <= LONGEST_FOLDER or short is None:
        yield usual
        return
    folder = tempfile.mkdtemp(prefix="polyfacet-", dir=short)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _can_be_written(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK)


def last_words(message: str) -> str:
    """Find what a browser said before it ended, in the message of Playwright's error.

    Returns
    -------
    str
        The lines that it called fatal, or else its last ones; without any, the first line of the message.
    """
    # Where Chromium says that it has no sandbox, Playwright puts words of its own in place of the log.
    if _NO_SANDBOX in message:
        return _NO_SANDBOX
    said = _SAID.findall(message)
    lines = [line for line in said if "FATAL" in line.partition("]")[0]] or said[-3:]
    words = [word for line in lines if (word := _PREFIX.sub("", line).strip())]
    return " / ".join(words)[:_WORDS] if words else message.partition("\n")[0]
