"""The tables of the evaluation as CSV."""

import json
from collections.abc import Iterable, Sized
from pathlib import Path

import pandas as pd

from polyfacet.reporting.page.results import PREDICTED, Results
from polyfacet.runtime.files import write_text

# Predictions of the chosen cells: the numbers of the parity plots.  All others are only in the Parquet file.
CHOSEN = "chosen_predictions"


def write_csv_tables(results: Results, folder: Path) -> None:
    """Write every table of the evaluation, and the predictions that the page shows.

    Parameters
    ----------
    results
        The evaluation.
    folder
        Folder of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in results.files:
        if name != PREDICTED:
            write_text(folder / f"{name}.csv", as_csv(results[name]))
    write_text(folder / f"{CHOSEN}.csv", as_csv(results.chosen_predictions))


def as_csv(table: pd.DataFrame) -> str:
    """Format a table; lists are JSON."""
    nested = [str(name) for name in table if table[name].map(_is_nested).any()]
    return table.assign(**{name: table[name].map(_json) for name in nested}).to_csv(index=False)


def _is_nested(value: object) -> bool:
    return isinstance(value, Sized) and not isinstance(value, str)


def _json(values: Iterable[object]) -> str:
    return json.dumps(list(values), ensure_ascii=False)
