"""Parts from a file: splits of a benchmark, of other software (such as MatFold) or of a colleague."""

from pathlib import Path

import pandas as pd

from polyfacet.runtime.errors import UserError
from polyfacet.splits.parts import PARTS


def read_folds(path: Path, repeat: int) -> dict[str, str]:
    """Read the parts of one repeat.

    Parameters
    ----------
    path
        CSV with the columns ``mat_id`` and ``part`` (train, valid or test) and, for several repeats,
        ``repeat`` (from 0).
    repeat
        Number of the repeat.

    Raises
    ------
    UserError
        If the file lacks a column, names an unknown part, numbers a repeat otherwise than 0, 1, 2, or has a
        material twice in one repeat.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UserError(f"the folds {path} cannot be read: {error}") from error
    missing = {"mat_id", "part"} - set(table.columns)
    if missing:
        raise UserError(f"the folds {path} have no column {', '.join(sorted(missing))}.")
    if "repeat" in table.columns:
        strange = table.loc[~table["repeat"].str.fullmatch("[0-9]+"), "repeat"]
        if not strange.empty:
            raise UserError(
                f"the folds {path} have the repeat {strange.iloc[0]!r}. Write whole numbers, from 0: 0, 1, 2."
            )
        table = table[table["repeat"] == str(repeat)]
    elif repeat:
        raise UserError(
            f"the folds {path} have no column `repeat`, so there is only one repeat. Set `repeats: 1`."
        )
    if table.empty:
        raise UserError(f"the folds {path} have no rows of repeat {repeat}. Lower `repeats`.")
    unknown = table.loc[~table["part"].isin(PARTS), "part"]
    if not unknown.empty:
        raise UserError(f"the folds {path} name the part {unknown.iloc[0]!r}; use {', '.join(PARTS)}.")
    twice = table.loc[table["mat_id"].duplicated(), "mat_id"]
    if not twice.empty:
        raise UserError(f"the folds {path} contain {twice.iloc[0]} twice in repeat {repeat}.")
    return dict(zip(table["mat_id"], table["part"], strict=True))
