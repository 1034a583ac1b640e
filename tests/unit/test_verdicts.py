"""Verdicts on several facets, single facets and baselines."""

import numpy as np
import pandas as pd
import pytest
from compared_cells import N_TEST, N_TRAIN, cells_with, on_test, validated

from polyfacet.evaluation.choices import choose
from polyfacet.evaluation.corrected_t import CorrectedMean
from polyfacet.evaluation.equal_repeats import SAME_TEST_PART
from polyfacet.evaluation.verdicts import NO_SPREAD, TESTS, compare_roles
from polyfacet.runtime.parquet import write_table

SINGLE, MULTI, BASELINE = ("ridge", "graph"), ("ridge", "graph+compimage"), ("median", "none")
SPREAD = np.array([-0.01, 0.01, -0.02, 0.02, 0.0])


def table_of(multi, objective="gap"):
    """Return cells of several facets with these losses, one per repeat.

    A single facet always has 0.5, the baseline about 1.
    """
    losses = {
        MULTI: [(0.1, value) for value in multi],
        SINGLE: [(0.2, 0.5)] * len(multi),
        BASELINE: [(0.9, value) for value in 1.0 + SPREAD[::-1][: len(multi)]],
    }
    return cells_with(losses, objective)


def verdicts(*tables):
    cells = pd.concat(tables, ignore_index=True)
    return compare_roles(choose(validated(cells), on_test(cells)), cells).set_index(
        ["comparison", "objective"]
    )


@pytest.mark.parametrize(
    ("multi", "verdict"),
    [
        (0.4 + SPREAD, "better"),
        (0.6 + SPREAD, "worse"),
        (0.5 + SPREAD / 10, "practically equal"),
        # Certainly smaller, but by less than 2 %.
        (0.495 + SPREAD / 100, "practically equal"),
        (0.485 + SPREAD / 4, "better"),
        # Certainly smaller, perhaps by more than 2 %.
        (0.4905 + SPREAD / 6, "undecided"),
        (0.49 + SPREAD, "undecided"),
        (0.4 + 10 * SPREAD, "undecided"),
    ],
)
def test_a_verdict_needs_a_certain_difference_that_matters(multi, verdict):
    found = verdicts(table_of(multi)).loc[("multi vs single", "gap")]
    assert found["verdict"] == verdict
    assert found["reason"] is None


def test_the_numbers_are_those_of_the_corrected_test(tmp_path):
    found = verdicts(table_of(0.45 + SPREAD))
    row = found.loc[("multi vs single", "gap")]
    mean = CorrectedMean.of(SPREAD - 0.05, N_TEST / N_TRAIN)
    assert row["difference"] == pytest.approx(-0.05)
    assert row[["low", "high"]].tolist() == pytest.approx(list(mean.interval()))
    assert row["margin"] == pytest.approx(0.01)
    assert row["p"] == row["p_holm"] == pytest.approx(mean.p_different())
    assert row["p_equal"] == pytest.approx(mean.p_equivalent(0.01))
    assert row[["loss", "rival_loss", "n_repeats"]].tolist() == pytest.approx([0.45, 0.5, 5])
    assert row["chosen"] == "ridge graph+compimage (5 of 5)"
    assert row["rival_chosen"] == "ridge graph (5 of 5)"
    assert found.loc[("single vs baseline", "gap"), "rival_chosen"] == "median none (5 of 5)"
    write_table(tmp_path / "tests.parquet", found.reset_index(), TESTS)


def test_several_objectives_need_more_certainty():
    alone = verdicts(table_of(0.45 + 1.5 * SPREAD)).loc[("multi vs single", "gap")]
    assert (alone["verdict"], alone["p"] < 0.05) == ("better", True)
    others = [table_of(0.5 + 2 * SPREAD, objective=name) for name in ("mag", "e_form")]
    found = verdicts(table_of(0.45 + 1.5 * SPREAD), *others).loc[("multi vs single", "gap")]
    assert found["p_holm"] == pytest.approx(3 * alone["p"])
    assert found["verdict"] == "undecided"


def test_the_corrections_of_different_comparisons_do_not_mix():
    found = verdicts(table_of(0.45 + SPREAD), table_of(0.4 + SPREAD, objective="mag"))
    for _, own in found.groupby(level="comparison"):
        assert own["p_holm"].max() <= 2 * own["p"].max() + 1e-12


def test_one_repeat_decides_nothing():
    row = verdicts(table_of([0.1])).loc[("multi vs single", "gap")]
    assert row[["verdict", "reason", "n_repeats"]].tolist() == ["undecided", "one repeat", 1]
    assert row["difference"] == pytest.approx(-0.4)
    assert np.isnan(row[["low", "high", "p", "p_equal"]].astype(float)).all()


@pytest.mark.parametrize("multi", [[0.5] * 5, [0.4] * 5, [0.4, 0.4]])
def test_equal_differences_are_not_tested(multi):
    # A few test rows of classes often have the same score in two repeats.
    row = verdicts(table_of(multi)).loc[("multi vs single", "gap")]
    assert (row["verdict"], row["reason"]) == ("undecided", NO_SPREAD)
    assert row["difference"] == pytest.approx(multi[0] - 0.5)
    assert row[["p", "p_holm", "p_equal", "p_equal_holm", "low", "high"]].isna().all()


def test_repeats_without_a_loss_are_left_out():
    row = verdicts(table_of([0.4, 0.41, 0.39, np.nan, 0.4])).loc[("multi vs single", "gap")]
    assert (row["n_repeats"], row["verdict"]) == (4, "better")
    assert row["left_out"] == "repeat 3: all test values are equal"
    # The choices of the repeats that are compared.
    assert row["chosen"] == "ridge graph+compimage (4 of 4)"
    assert row["rival_chosen"] == "ridge graph (4 of 4)"
    row = verdicts(table_of([np.nan] * 5)).loc[("multi vs single", "gap")]
    assert (row["verdict"], row["left_out"]) == ("undecided", None)
    assert row["reason"] == "no repeat has a loss: repeat 0, 1, 2, 3, 4: all test values are equal"


def test_each_cause_of_a_missing_loss_is_named():
    cells = table_of([0.4, 0.41, np.nan, np.nan, 0.4, 0.39])
    cells.loc[cells["repeat"] == 3, "n_test"] = 0
    known = validated(cells[cells["repeat"] != 0])
    row = compare_roles(choose(known, on_test(cells)), cells).set_index("comparison").loc["multi vs single"]
    assert row["n_repeats"] == 3
    assert row["left_out"].split("; ") == [
        "repeat 0: the candidates have no validation row in common",
        "repeat 2: all test values are equal",
        "repeat 3: there is no test row that all cells predicted",
    ]


def test_missing_roles_are_named(tmp_path):
    found = verdicts(cells_with({SINGLE: [(0.2, 0.5)] * 3}))
    reasons = found["reason"].droplevel("objective").to_dict()
    assert reasons["multi vs single"].startswith("no cell of several facets has predictions")
    assert reasons["single vs baseline"].startswith("no baseline has predictions")
    assert set(found["verdict"]) == {"undecided"}
    assert set(found["n_repeats"]) == {0}
    write_table(tmp_path / "tests.parquet", found.reset_index(), TESTS)


@pytest.mark.parametrize("n_controls", [1, 5])
def test_controls_are_the_reason_where_they_are_all_there_is(n_controls):
    cells = table_of(0.4 + SPREAD)
    is_control = (cells["combination"] == MULTI[1]) & (cells["repeat"] < n_controls)
    cells["untrained"] = [["graph"] if each else [] for each in is_control]
    chosen = choose(validated(cells[cells["combination"] != MULTI[1]]), on_test(cells))
    found = compare_roles(chosen, cells).set_index("comparison")
    reason = found.loc["multi vs single", "reason"]
    assert reason.startswith("every cell of several facets is a control: in at least one repeat, the encoder")
    assert found.loc["single vs baseline", "reason"] is None


def test_controls_are_told_from_cells_without_predictions():
    losses = {MULTI: [(0.1, 0.4)] * 3, ("trees", "text+graph"): [(0.2, 0.4)], SINGLE: [(0.2, 0.5)] * 3}
    cells = cells_with(losses)
    cells["untrained"] = [["graph"] if each == MULTI[1] else [] for each in cells["combination"]]
    chosen = choose(validated(cells[cells["combination"] == SINGLE[1]]), on_test(cells))
    reason = compare_roles(chosen, cells).set_index("comparison").loc["multi vs single", "reason"]
    said = "no cell of several facets other than controls, whose encoders are untrained, has predictions for"
    assert reason.startswith(said)


def test_a_cell_with_two_roles_is_not_tested_against_itself():
    found = verdicts(cells_with({("ridge", "compimage"): [(0.2, loss) for loss in 0.5 + SPREAD]}))
    row = found.loc[("single vs baseline", "gap")]
    assert row["reason"] == "the same cell was chosen for both in every repeat"
    assert (row["verdict"], row["difference"]) == ("undecided", 0)
    assert row[["p", "p_holm", "p_equal", "low", "high"]].isna().all()


@pytest.mark.parametrize("shared", [[0, 1, 2, 3, 4], [0, 1]])
def test_repeats_on_the_same_materials_are_not_tested(shared):
    cells = table_of(0.3 + SPREAD)
    assert verdicts(cells).loc[("multi vs single", "gap"), "verdict"] == "better"
    cells.loc[cells["repeat"].isin(shared), "tested"] = "the same"
    row = verdicts(cells).loc[("multi vs single", "gap")]
    assert (row["verdict"], row["reason"]) == ("undecided", SAME_TEST_PART)
    assert row["difference"] == pytest.approx(-0.2)
    assert row[["p", "p_holm", "p_equal", "low", "high"]].isna().all()


def test_an_objective_on_the_same_materials_in_every_repeat_is_not_tested():
    sparse = table_of(0.3 + SPREAD, objective="mag").assign(tested="the few that have a value")
    found = verdicts(table_of(0.3 + SPREAD), sparse).loc["multi vs single"]
    assert found["verdict"].to_dict() == {"gap": "better", "mag": "undecided"}
    assert found.loc["mag", "reason"] == SAME_TEST_PART


def test_a_sparse_facet_makes_the_test_rows_of_all_rivals_equal():
    cells = table_of(0.3 + SPREAD)
    is_sparse = cells["combination"] == MULTI[1]
    cells.loc[is_sparse, "tested"] = "the few that have the facet"
    assert verdicts(cells).loc[("multi vs single", "gap"), "reason"] == SAME_TEST_PART
    # Failed cells take no row from the others.
    cells.loc[is_sparse, "status"] = "failed"
    others = cells[~is_sparse]
    found = compare_roles(choose(validated(others), on_test(cells)), cells).set_index("comparison")
    assert found.loc["single vs baseline", "verdict"] == "better"


def test_the_choice_may_change_between_repeats():
    losses = {
        MULTI: [(0.1, 0.4)] * 3,
        SINGLE: [(0.2, 0.5)] * 3,
        ("trees", "graph"): [(0.1, 0.6), *[(0.3, 0.6)] * 2],
    }
    row = verdicts(cells_with(losses)).loc[("multi vs single", "gap")]
    assert row["rival_chosen"] == "ridge graph (2 of 3)"
    assert row["rival_loss"] == pytest.approx((0.6 + 0.5 + 0.5) / 3)
