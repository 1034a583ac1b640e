"""Decompress and parse entry files as fast as the libraries allow: the baseline of `million_entries.py`.

Usage: python benchmarks/parse_entries.py PROCESSES FILE.json.bz2...
"""

import bz2
import gc
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import orjson


def count_entries(path: Path) -> int:
    """Parse an entire file at once, without garbage collection, which would only slow this down."""
    gc.disable()
    return len(orjson.loads(bz2.decompress(path.read_bytes()))["entries"])


if __name__ == "__main__":
    with ProcessPoolExecutor(int(sys.argv[1])) as pool:
        print(sum(pool.map(count_entries, map(Path, sys.argv[2:]))), "entries parsed")
