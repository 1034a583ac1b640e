"""Attack one reader with coverage-guided bytes: python tests/fuzz/guided.py TARGET [-runs=N] [-seed=S].

Needs `pip install atheris`; options after the target are those of libFuzzer.  It stops at the first finding
and writes the document to a file that it names.
"""

import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path[:0] = [
    str(Path(__file__).resolve().parents[1]),
    str(Path(__file__).resolve().parents[2] / "workflow"),
    str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"),
]

import atheris  # noqa: E402

with atheris.instrument_imports(include=["polyfacet", "pymatgen.io.cif"]):
    from fuzz import targets
    from fuzz.campaign import watched


def text_of(content: bytes) -> str:
    """Decode any bytes as text."""
    return content.decode("utf-8", "surrogateescape")


# For each target: conversion of bytes to a document, and valid examples to begin with.
DOCUMENTS: dict[str, tuple[Callable[[bytes], Any], Callable[[], Sequence[bytes]]]] = {
    "file": (bytes, lambda: [b"[%s]" % seed for seed in targets.entry_seeds()]),
    "entry": (json.loads, targets.entry_seeds),
    "config": (json.loads, targets.config_seeds),
    "cif": (text_of, lambda: [cif.encode() for cif in targets.cif_seeds()]),
    "table": (lambda content: ("columns", content), lambda: [targets.TABLES["columns"][1]]),
    "formulas": (lambda content: ("formula", content), lambda: [targets.TABLES["formula"][1]]),
}
READERS = {"formulas": "table"}


def main() -> None:
    """Feed one document after another to the target."""
    name, *options = sys.argv[1:]
    document, examples = DOCUMENTS[name]
    target = targets.TARGETS[READERS.get(name, name)]
    logging.disable()
    warnings.simplefilter("ignore")
    corpus, scratch = (Path(tempfile.mkdtemp(prefix=f"{kind}-")) for kind in ("corpus", "scratch"))
    for number, example in enumerate(examples()):
        (corpus / str(number)).write_bytes(example)

    def attack(content: bytes) -> None:
        try:
            value = document(content)
        except (ValueError, RecursionError):
            return  # not JSON
        target.read(value, scratch)

    longest = max(len(example) for example in examples())
    limits = [f"-max_len={2 * longest}", "-timeout=20", "-rss_limit_mb=6000"]
    atheris.Setup([sys.argv[0], *limits, *options, f"-artifact_prefix={scratch}/", str(corpus)], attack)
    with watched(scratch):
        atheris.Fuzz()


if __name__ == "__main__":
    main()
