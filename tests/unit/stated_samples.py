"""Samples whose sources state what a test needs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.parquet import write_table

SOURCE = "crystals/properties.csv"


def write_stated(path: Path, stated: Sequence[Mapping[str, Any]], **columns: Sequence[Any]) -> Path:
    """Write a sample of materials m00, m01, ..., each with what its source states, and with these columns."""
    rows = [
        {
            "mat_id": f"m{i:02d}",
            "formula": "NaCl",
            "prototype_id": None,
            "space_group": None,
            "n_sites": 2,
            "volume": 45.0,
            **{each.name: 0.0 for each in PREDEFINED},
            "structure": "{}",
            "data": json.dumps(data),
            "source_file": SOURCE,
            "source_position": i,
            **{name: values[i] for name, values in columns.items()},
        }
        for i, data in enumerate(stated)
    ]
    write_table(path, rows, SAMPLE)
    return path
