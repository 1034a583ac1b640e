"""Inputs and outputs of predictions that must not be taken for something else."""

import numpy as np
import pandas as pd
import pytest

from polyfacet.runtime.errors import UserError
from polyfacet.training.bundles import distances
from polyfacet.use.prediction.inputs import _rows_of_formulas
from polyfacet.use.prediction.output import check_output


@pytest.mark.parametrize(
    ("formula", "is_missing"), [("NaN", True), ("", True), ("None", True), ("NaCl", False)]
)
def test_a_missing_formula_is_no_compound(tmp_path, formula, is_missing):
    path = tmp_path / "new.csv"
    path.write_text(f"id,formula\na,{formula}\n")
    (row,) = _rows_of_formulas(path)
    assert ("reason" in row) is is_missing
    if is_missing:
        assert "formula is missing" in row["reason"]


def test_an_input_is_not_overwritten(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("id,formula\n")
    with pytest.raises(UserError, match="is one of the inputs"):
        check_output(path, [tmp_path / "." / "new.csv"])
    check_output(tmp_path / "out.csv", [path])


def test_rounding_errors_of_distances_are_zero():
    found = distances._without_rounding(np.array([4e-8, 0.0, 1e-3]))
    assert pd.Series(found).tolist() == [0.0, 0.0, 1e-3]
