"""Launching Chromium: a folder with a short path for its socket, and the reason if it fails to start."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Chromium creates <folder>/org.chromium.Chromium.XXXXXX/SingletonSocket; socket paths have up to 107 bytes.
LONGEST_FOLDER = 60
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - mkdtemp makes a private folder there
ROOT = "the browser is run as root"

_SAID = re.compile(r"^\[pid=\d+\]\[(?:err|out)\] (.*)$", re.MULTILINE)
# Location in the source code, process id and time.
_PREFIX = re.compile(r"^\[[\d:/.]*:?[A-Z]*:?[^\]]*\]\s*")
_NO_SANDBOX = "Chromium sandboxing failed"
_WORDS = 300


@contextmanager
def short_temporary_folder() -> Iterator[Path]:
    """Yield a folder whose path is short enough for the socket of a browser.

    It is the usual temporary folder if its path is short; otherwise a new private one, removed afterwards.
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
    """Extract a browser's last log lines from the message of Playwright's error.

    Returns
    -------
    str
        The lines marked as fatal, otherwise the last ones; without any, the first line of the message.
    """
    # If Chromium has no sandbox, Playwright replaces the browser's log with its own message.
    if _NO_SANDBOX in message:
        return _NO_SANDBOX
    said = _SAID.findall(message)
    lines = [line for line in said if "FATAL" in line.partition("]")[0]] or said[-3:]
    words = [word for line in lines if (word := _PREFIX.sub("", line).strip())]
    return " / ".join(words)[:_WORDS] if words else message.partition("\n")[0]
