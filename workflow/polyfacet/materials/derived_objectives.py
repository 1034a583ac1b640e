"""Objectives that are not in the sample: each has a table of its own."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from polyfacet.runtime.parquet import read_table


def with_derived(materials: pd.DataFrame, derived: Sequence[Path]) -> pd.DataFrame:
    """Add objectives from their own tables to rows with ``mat_id``, keeping their order."""
    for path in derived:
        materials = materials.merge(read_table(path), on="mat_id", how="left", validate="one_to_one")
    return materials
