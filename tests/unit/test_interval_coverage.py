"""Conformal intervals of cells: calibrated on validation rows, checked on test rows."""

import numpy as np
import pandas as pd
import pytest
from held_out_cells import cell, cells_table, classes, held_out, numbers
from scipy import stats

from polyfacet.evaluation.interval_coverage import INTERVALS, assess_intervals, mean_coverage
from polyfacet.evaluation.scores import NO_COMMON_ROWS
from polyfacet.runtime.parquet import write_table

# Errors of 1 to 10: with ten rows, 90 % needs the largest.
VALID = numbers("valid", {number: (0.0, number - 19.0) for number in range(20, 30)})
# Errors of 0, 10, 10.5 and -3; the mean absolute deviation of the true values is 2.
TEST = numbers("test", {0: (0.0, 0.0), 1: (2.0, 12.0), 2: (4.0, 14.5), 3: (6.0, 3.0)})
VALUES = ["n_calibration", "n_test", "coverage", "width", "width_mad"]


def assessed(cells, predictions, tmp_path, fit="train"):
    found = held_out(cells, predictions)
    table = assess_intervals(found, found.tested(), fit)
    write_table(tmp_path / "intervals.parquet", table, INTERVALS)
    return table


def test_intervals_are_as_wide_as_validation_errors_demand(tmp_path):
    table = assessed([cell("ridge graph")], [[VALID, TEST]], tmp_path)
    assert table.loc[0, VALUES].tolist() == [10, 4, 3 / 4, 20.0, 10.0]
    assert table.loc[0, "reason"] is None


def test_only_rows_that_no_rival_lacks_are_tested(tmp_path):
    cells = [cell("ridge graph"), cell("trees graph")]
    table = assessed(cells, [[VALID, TEST], [VALID[:5], TEST[1:3]]], tmp_path)
    assert table.loc[0, VALUES].tolist() == [10, 2, 1 / 2, 20.0, 20.0]
    assert table["n_test"].tolist() == [2, 2]
    assert table.loc[1, "reason"] == "90% needs 9 validation materials, and there are 5"
    assert table.loc[1, ["coverage", "width", "width_mad"]].isna().all()


def test_a_cell_of_rows_without_facets_is_calibrated_on_rows_that_its_rivals_have(tmp_path):
    cells = [cell("ridge graph"), cell("joint graph+text", n_incomplete=3)]
    table = assessed(cells, [[VALID[:9], TEST], [VALID, TEST]], tmp_path)
    assert table["n_calibration"].tolist() == [9, 9]
    alone = assessed(cells[1:], [[VALID, TEST]], tmp_path)
    assert alone["n_calibration"].tolist() == [10]


def test_sets_of_classes_are_checked_as_intervals_are(tmp_path):
    sure, torn = {"a": 0.8, "b": 0.2}, {"a": 0.5, "b": 0.5}
    valid = classes("valid", dict.fromkeys(range(20, 30), ("a", sure)))
    # Sets: {a}, {a}, and none, as no validation class was as unlikely as one half.
    test = classes("test", {0: ("a", sure), 1: ("b", sure), 2: ("a", torn)})
    table = assessed([cell("trees graph", classes=["a", "b"])], [[valid, test]], tmp_path)
    assert table.loc[0, ["coverage", "width"]].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert np.isnan(table.loc[0, "width_mad"])


def test_rows_that_a_facet_was_fitted_on_do_not_calibrate(tmp_path):
    cells = [cell("ridge graph"), cell("ridge compimage"), cell("ridge compimage+graph")]
    reasons = assessed(cells, [[VALID, TEST]] * 3, tmp_path, "all")["reason"]
    why = "a facet was fitted on the validation materials, too (`composition.fit: all`)"
    assert reasons.tolist() == [None, why, why]


def test_cells_without_intervals_say_why(tmp_path):
    without = classes("valid", {number: ("a", {"a": 1.0}) for number in range(20, 30)})
    cells = [
        cell("ridge graph", ok=False),
        cell("svm graph", "e_form", classes=["a"]),
        cell("trees graph", "e_hull"),
    ]
    predictions = [[VALID, TEST], [without.assign(probabilities=None)], [VALID]]
    table = assessed(cells, predictions, tmp_path)
    assert table["reason"].tolist() == ["no reason", "the model has no class probabilities", NO_COMMON_ROWS]
    assert table["n_test"].tolist() == [0, 0, 0]


def test_equal_test_values_have_no_width_in_their_deviation(tmp_path):
    test = TEST.assign(y_true=2.0)
    table = assessed([cell("ridge graph")], [[VALID, test]], tmp_path)
    assert np.isnan(table.loc[0, "width_mad"])
    assert table.loc[0, "width"] == 20.0


def test_mean_coverage_is_that_of_repeats_whose_objectives_are_averaged():
    rows = [(0, "gap", 0.8), (0, "e_form", 1.0), (1, "gap", 0.9), (1, "e_form", 1.0), (1, "e_hull", np.nan)]
    cells = cells_table(
        [cell("ridge graph", objective, repeat=repeat, n_train=160) for repeat, objective, _ in rows]
    )
    cells["tested"] = cells["repeat"].map("test part {}".format)
    keys = ["run", "source", "split", "repeat", "method", "combination", "objective"]
    intervals = cells[keys].assign(coverage=[value for *_, value in rows], n_test=40)
    found = mean_coverage(intervals, cells).iloc[0]
    # Repeats: 0.9 and 0.95; J = 2 and n_test / n_train = 1/4.
    error = np.sqrt(0.05**2 / 2 * (1 / 2 + 1 / 4))
    half = stats.t.ppf(0.975, 1) * error
    assert found[["mean", "low", "high"]].tolist() == pytest.approx([0.925, 0.925 - half, 0.925 + half])
    assert found["n_repeats"] == 2
    one = mean_coverage(intervals[:2], cells)
    assert one["mean"].tolist() == pytest.approx([0.9])
    assert pd.isna(one.loc[0, "low"])
    assert mean_coverage(intervals[4:], cells).empty
    one_objective = cells["tested"].where(cells["objective"] != "gap", "the same")
    assert pd.isna(mean_coverage(intervals, cells.assign(tested=one_objective)).loc[0, "low"])
    same = mean_coverage(intervals, cells.assign(tested="the same")).iloc[0]
    assert same["mean"] == pytest.approx(0.925)
    assert pd.isna(same["low"])
