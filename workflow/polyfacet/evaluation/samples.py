"""The materials of the sources, as far as the evaluation looks at them."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from polyfacet.runtime.parquet import column_names, read_table

# Only crystals have sites and a space group.
COLUMNS = ("mat_id", "formula", "n_sites", "space_group")


def read_samples(sources: Iterable[str], paths: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Read the identifiers and formulas of each source; of crystals, also sites and space groups."""
    return {source: _read_sample(path) for source, path in zip(sources, paths, strict=True)}


def _read_sample(path: Path) -> pd.DataFrame:
    there = set(column_names(path))
    return read_table(path, columns=[name for name in COLUMNS if name in there])
