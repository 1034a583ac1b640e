"""How many crystals a file may hold, estimated without opening it."""

from contextlib import suppress
from pathlib import Path

from polyfacet.config.sources import Format, Source
from polyfacet.sources.compression import stated_compression

# Bytes per crystal of typical files; formats differ by a factor of two, cells by much more.
PLAIN_BYTES = {"table": 1500, "matbench": 2500, "extxyz": 1500}
COMPRESSION = 6
PARQUET_BYTES = 400


def estimated_crystals(source: Source, kind: Format) -> int:
    """Return an estimate of the number of crystals in a file of a format; 0 if it does not exist."""
    path = Path(source.path)
    size = 0
    with suppress(OSError):
        size = path.stat().st_size
    if path.suffix.lower() in (".parquet", ".pq"):
        return size // PARQUET_BYTES
    return size * (COMPRESSION if stated_compression(path.name) else 1) // PLAIN_BYTES[kind]
