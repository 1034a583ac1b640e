"""Numbers as texts of tables."""

from collections.abc import Sequence

import pandas as pd


def number_text(value: float, form: str) -> str:
    """Write a value; a failed cell, or a MASE of test values that are all equal, has none."""
    return "n/a" if pd.isna(value) else format(value, form)


def mean_text(mean: float, std: float, form: str = ".3f") -> str:
    """Write mean and standard deviation; the spread of a single repeat is not known."""
    return number_text(mean, form) + ("" if pd.isna(std) or pd.isna(mean) else f" ± {std:{form}}")


def score_form(metric: str) -> str:
    """Return the format of a score: errors in the unit of the objective may be tiny or large."""
    return ".4g" if metric == "mae" else ".3f"


def difference_text(gap: float, form: str = ".3f") -> str:
    """Say how much higher or lower a score is, as exactly as scores are printed."""
    size = format(abs(gap), form)
    if float(size) == 0:
        return "equal to three decimals"
    return f"{'lower' if gap < 0 else 'higher'} by {size}"


def number_range(numbers: Sequence[int] | pd.Series) -> str:
    """Write the smallest and the largest of some counts, or the one that all of them are."""
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"
