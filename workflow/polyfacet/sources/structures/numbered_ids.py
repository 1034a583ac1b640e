"""Identifiers of rows and frames that have none: the name of their file and their number."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from polyfacet.runtime.identifiers import DIGEST_CHARS, REPLACED_CHARS, text_digest, usable_mat_id
from polyfacet.sources.structures.distinct_names import distinct_names

MAX_NAME_CHARS = 50


def names_of_tables(paths: Iterable[Path]) -> Mapping[Path, str]:
    """Return the names by which files call their rows; different files have different ones.

    It is the name of the file up to the first point.  Files that share it are called after their endings or
    folders as well: rows of ``a/new.csv`` and ``b/new.csv`` are ``a-new-0001`` and ``b-new-0001``.
    """
    named = [(_short(path), path) for path in paths]
    renamed = distinct_names(named, _without_endings)
    return {path: _fitting(renamed.get((name, path), name)) for name, path in named}


def numbered_id(name: str, number: int) -> str:
    """Return the identifier of a row or frame.

    Parameters
    ----------
    name
        See `names_of_tables`.
    number
        Number of the row or frame.
    """
    return f"{name}-{number:04d}"


def _short(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", _without_endings(path.name))[:MAX_NAME_CHARS]


def _fitting(name: str) -> str:
    """Return a name that leaves room for a number."""
    usable = usable_mat_id(name)
    if len(usable) <= REPLACED_CHARS + 1 + DIGEST_CHARS:
        return usable
    return f"{usable[:REPLACED_CHARS]}-{text_digest(name)[:DIGEST_CHARS]}"


def _without_endings(name: str) -> str:
    return name.partition(".")[0]
