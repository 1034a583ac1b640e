"""How many crystals a file may hold, estimated from its size and, for a CSV, from its first rows."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from polyfacet.config.sources import Format, Source
from polyfacet.runtime.errors import UserError
from polyfacet.sources.compression import stated_compression
from polyfacet.sources.file_text import ANY_BEGINNING, FileText, UnreadableTextError

# Bytes per crystal of typical files; formats differ by a factor of two, cells by much more.
PLAIN_BYTES = {"table": 1500, "matbench": 2500, "extxyz": 1500}
COMPRESSION = 6
PARQUET_BYTES = 400
# Rows of a CSV that show how long its rows are: those of structures are a hundred times as long as formulas.
FIRST_ROWS = 100


def estimated_crystals(source: Source, kind: Format) -> int:
    """Return an estimate of the number of crystals in a file of a format; 0 if it does not exist."""
    path = Path(source.path)
    size = 0
    with suppress(OSError):
        size = path.stat().st_size
    if path.suffix.lower() in (".parquet", ".pq"):
        return size // PARQUET_BYTES
    plain_size = size * (COMPRESSION if stated_compression(path.name) else 1)
    per_row = _bytes_of_csv_row(path) if ".csv" in path.name.lower() else None
    return int(plain_size / (per_row or PLAIN_BYTES[kind]))


def _bytes_of_csv_row(path: Path) -> float | None:
    """Return the mean length of the first rows of a CSV; None if it has none, or its reader will complain."""
    lengths: list[int] = []
    n_rows = 0
    with suppress(OSError, csv.Error, UserError, UnreadableTextError), FileText(path, ANY_BEGINNING) as text:
        lines = text.lines()
        next(lines, None)
        n_rows = sum(1 for _ in islice(csv.reader(_measured(lines, lengths)), FIRST_ROWS))
    return sum(lengths) / n_rows if n_rows else None


def _measured(lines: Iterable[str], lengths: list[int]) -> Iterator[str]:
    """Pass lines on, and append the bytes of each to a list."""
    for line in lines:
        lengths.append(len(line.encode()))
        yield line
