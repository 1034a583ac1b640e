"""The statistics of objectives as tables: on screen, and in the report."""

from collections.abc import Callable
from textwrap import indent
from typing import Any

import pandas as pd

from polyfacet.reporting.numbers import number_text
from polyfacet.runtime.markdown import plain, table

# Column of the statistics to heading.
HEADINGS = {
    "unit": "unit",
    "n": "n",
    "missing": "missing",
    "mean": "mean",
    "mad": "MAD",
    "zeros": "zeros",
    "lowest": "lowest",
    "highest": "highest",
    "classes": "classes",
}
OF_NUMBERS = ("unit", "n", "missing", "mean", "mad", "zeros", "lowest", "highest")
OF_CLASSES = ("n", "missing", "classes")


def on_screen(source: str, statistics: pd.DataFrame) -> str:
    """Format the statistics of a source for a terminal."""
    n_materials = int((statistics["n"] + statistics["missing"]).max())
    tables = [indent(texts.to_string(), "  ") for texts in as_texts(statistics)]
    return "\n".join([f"objectives of {source}, {n_materials} materials:", *tables])


def in_markdown(statistics: pd.DataFrame) -> str:
    """Format the statistics of a source for the report."""
    return "\n\n".join(
        table(
            ["objective", *texts.columns],
            [[plain(str(label)), *map(plain, row)] for label, *row in texts.itertuples()],
            n_left=2 if HEADINGS["unit"] in texts else 1,
        )
        for texts in as_texts(statistics)
    )


def as_texts(statistics: pd.DataFrame) -> list[pd.DataFrame]:
    """Write objectives with numbers and objectives with classes as texts by label, each if there are any."""
    is_class = statistics["classes"].map(len) > 0
    kinds = ((statistics[~is_class], OF_NUMBERS), (statistics[is_class], OF_CLASSES))
    return [_texts(rows, columns) for rows, columns in kinds if len(rows)]


def _texts(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    formats: dict[str, Callable[[Any], str]] = {
        "zeros": lambda share: number_text(share, ".0%"),
        "classes": lambda counts: ", ".join(f"{name} {n}" for name, n in counts),
        **dict.fromkeys(("unit", "n", "missing"), str),
    }
    texts = {HEADINGS[name]: [formats.get(name, _number)(value) for value in rows[name]] for name in columns}
    return pd.DataFrame(texts, index=rows["label"].tolist())


def _number(value: float) -> str:
    return number_text(value, ".4g")
