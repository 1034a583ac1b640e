"""The repeats in which all rivals were trained: only means over these are means over the same test parts.

Slow methods may be trained on the first repeats of a split only.
"""

import pandas as pd

_OBJECTIVE = ["source", "split", "objective"]
_NAME = ["method", "combination"]


def is_shared(rows: pd.DataFrame) -> pd.Series:
    """Return whether each row is of a repeat that no rival lacks.

    Parameters
    ----------
    rows
        Columns ``source``, ``split``, ``repeat``, ``objective``, ``method`` and ``combination``; a cell that
        failed counts as trained.
    """
    keys = [*_OBJECTIVE, "repeat"]
    cells = rows[[*keys, *_NAME]].drop_duplicates()
    n_trained = cells.groupby(keys).size()
    n_rivals = cells.drop_duplicates([*_OBJECTIVE, *_NAME]).groupby(_OBJECTIVE).size()
    trained = n_trained.reindex(pd.MultiIndex.from_frame(rows[keys])).to_numpy()
    rivals = n_rivals.reindex(pd.MultiIndex.from_frame(rows[_OBJECTIVE])).to_numpy()
    return pd.Series(trained == rivals, index=rows.index)
