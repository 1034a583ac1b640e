"""How many crystals a source may hold, estimated without opening a file."""

import os
from contextlib import suppress
from pathlib import Path

from polyfacet.config.sources import Format, Source
from polyfacet.sources.compression import stated_compression
from polyfacet.sources.listing import is_folder
from polyfacet.sources.structures.names import is_structure_file_name

# Bytes per crystal of typical files; formats differ by a factor of two, cells by much more.
PLAIN_BYTES = {"table": 1500, "matbench": 2500, "extxyz": 1500}
COMPRESSION = 6
PARQUET_BYTES = 400


def estimated_crystals(source: Source, kind: Format) -> int:
    """Return an estimate of the number of crystals in a source; 0 if it does not exist."""
    path = Path(source.path)
    if kind == "files":
        return _n_structure_files(path) if is_folder(path) else 1
    size = 0
    with suppress(OSError):
        size = path.stat().st_size
    if path.suffix.lower() in (".parquet", ".pq"):
        return size // PARQUET_BYTES
    return size * (COMPRESSION if stated_compression(path.name) else 1) // PLAIN_BYTES[kind]


def _n_structure_files(folder: Path) -> int:
    with suppress(OSError):
        return sum(map(is_structure_file_name, os.listdir(folder)))  # noqa: PTH208 - names only, of very many
    return 0
