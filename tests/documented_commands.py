"""The Snakemake commands in the documents, as the shell passes them on."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from project import PROJECT

PAGES = ("*.md", "docs/*.md", "config/*.md", "profiles/*.md", "embedded/*.md")
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(snakemake [^`]+)`")
# Records its arguments, one per line followed by an empty line, instead of running anything.
RECORDER = """#!/bin/bash
printf '%s\\n' "$@" '' >> "$RECORD"
"""


def documented_commands() -> dict[tuple[str, ...], str]:
    """Collect the commands.

    The shell itself reads the blocks, with a ``snakemake`` that records its arguments and without any other
    program, so that quotes, loops and comments have their usual meaning.

    Returns
    -------
    dict
        Arguments of each command, with the first page that contains it.
    """
    found: dict[tuple[str, ...], str] = {}
    for pattern in PAGES:
        for page in sorted(PROJECT.glob(pattern)):
            text = page.read_text(encoding="utf-8")
            script = "\n".join([*BLOCK.findall(text), *INLINE.findall(BLOCK.sub("", text))])
            for command in _passed_on(script):
                found.setdefault(command, page.relative_to(PROJECT).as_posix())
    return found


def _passed_on(script: str) -> Iterator[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        recorder, record = Path(folder) / "snakemake", Path(folder) / "record"
        recorder.write_text(RECORDER)
        recorder.chmod(0o755)
        record.touch()
        subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=folder,
            env={"PATH": folder, "RECORD": os.fspath(record)},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        for arguments in record.read_text().split("\n\n")[:-1]:
            yield tuple(arguments.strip("\n").split("\n"))
