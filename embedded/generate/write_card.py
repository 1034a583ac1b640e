"""Rewrite the tables of the data card, each between two markers with the name of its script."""

import argparse
import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import compare
import describe
import report_convergence

TABLES: dict[str, Callable[[Path], None]] = {
    "describe.py": describe.main,
    "report_convergence.py": report_convergence.main,
    "compare.py": compare.main,
}


def printed(script: Callable[[Path], None], embedded: Path) -> str:
    """Run a script's ``main`` and return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        script(embedded)
    return output.getvalue().strip()


def with_tables(card: str, embedded: Path) -> str:
    """Insert the output of the scripts into a card, between their markers."""
    for name, script in TABLES.items():
        begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
        before, rest = card.split(begin)
        card = f"{before}{begin}\n{printed(script, embedded)}\n{end}{rest.split(end)[1]}"
    return card


def main(embedded: Path) -> None:
    """Rewrite ``CARD.md`` in the folder of the embedded entries."""
    path = embedded / "CARD.md"
    path.write_text(with_tables(path.read_text(encoding="utf-8"), embedded), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedded", required=True, type=Path)
    main(parser.parse_args().embedded)
