"""Training rows with the values of others."""

import numpy as np
import pandas as pd

from polyfacet.training.engines.training_rows import RowsInMemory
from polyfacet.training.permuted_rows import PermutedRows

ROWS = pd.DataFrame(
    {
        "mat_id": [f"m{number:02d}" for number in range(30)],
        "graph": range(30),
        "gap": [np.nan if number % 3 == 0 else float(number) for number in range(30)],
        "kind": [None if number % 3 == 0 else f"k{number}" for number in range(30)],
    }
)


class Pieces(RowsInMemory):
    def pieces(self):
        yield from (self.rows[start : start + 7].reset_index(drop=True) for start in range(0, 30, 7))


def test_values_are_those_of_other_rows_with_any_value():
    rows = PermutedRows(RowsInMemory(ROWS), ["gap", "kind"], seed=0).together()
    assert (rows["gap"].isna() == ROWS["gap"].isna()).all()
    known = rows.dropna()
    assert sorted(known["gap"]) == sorted(ROWS["gap"].dropna())
    assert (known["gap"] != ROWS.loc[known.index, "gap"]).mean() > 0.8
    assert (known["kind"] == "k" + known["gap"].astype(int).astype(str)).all(), "objectives stay together"
    assert (rows[["mat_id", "graph"]] == ROWS[["mat_id", "graph"]]).all().all()


def test_pieces_are_permuted_as_the_whole():
    permuted = PermutedRows(Pieces(ROWS), ["gap", "kind"], seed=0)
    together = pd.concat(permuted.pieces(), ignore_index=True)
    pd.testing.assert_frame_equal(together, permuted.together())
    other = PermutedRows(Pieces(ROWS), ["gap", "kind"], seed=1).together()
    assert not other["gap"].equals(together["gap"])
