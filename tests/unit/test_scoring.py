"""Scores of a run: on the rows that no rival lacks, counted, with intervals, and their means."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from polyfacet.evaluation.common_rows import n_nontrivial
from polyfacet.evaluation.formulas import Formulas
from polyfacet.evaluation.scores import NO_COMMON_ROWS
from polyfacet.evaluation.scoring import score
from polyfacet.evaluation.tables import SCORES, SUMMARY
from polyfacet.runtime.parquet import write_table

N = 40
TRUE = np.arange(N) % 7 * 1.0
CLASSES = np.array(["a", "b"])[np.arange(N) % 2]
FORMULAS = {"crystals": Formulas(pd.Index([f"m{i}" for i in range(N)]), np.arange(N) // 2)}


def cell(method: str, objective: str = "gap", **changes: Any) -> dict[str, Any]:
    place = {"run": "test", "source": "crystals", "split": "formula", "repeat": 0, "combination": "text"}
    facts = {"status": "ok", "reason": None, "classes": []}
    return {**place, "method": method, "objective": objective, **facts, **changes}


def predictions(rows: Any, error: float = 1.0) -> pd.DataFrame:
    """Return predictions for these materials; the error alternates between 0 and twice its mean."""
    rows = np.asarray(rows, dtype=np.int64)
    wrong = 2 * error * (rows % 2)
    return pd.DataFrame(
        {
            "part": "test",
            "y_true": TRUE[rows],
            "y_pred": TRUE[rows] + wrong,
            "true_class": CLASSES[rows],
            "predicted_class": np.where(rows % 4 == 0, "b", CLASSES[rows]),
        },
        index=rows,
    )


def scored(cells: Mapping[int, Any] | list, tested: list) -> tuple[pd.DataFrame, pd.DataFrame]:
    return score(cells, tested, FORMULAS, None, seed=1, n_draws=200)


def test_rivals_are_scored_on_the_rows_that_none_of_them_lacks():
    cells = [cell("all"), cell("few"), cell("other", repeat=1), cell("another", objective="mag")]
    tested = [predictions(range(20)), predictions([9, 7, 3, 5, 30]), predictions(range(10))]
    scores, _ = scored(cells, [*tested, predictions(range(30))])
    counts = scores[scores["metric"] == "mae"].set_index(["method", "objective"])["n_test"]
    assert counts.to_dict() == {
        ("all", "gap"): 4,
        ("few", "gap"): 4,
        ("other", "gap"): 10,
        ("another", "mag"): 30,
    }
    # All common rows are odd, where the errors are.
    of_rivals = scores[scores["method"].isin(["all", "few"])].groupby("metric")["value"]
    assert of_rivals.unique()["mae"].tolist() == [2.0]
    assert of_rivals.nunique()["mase"] == 1


def test_a_failed_cell_takes_no_rows_from_its_rivals():
    cells = [cell("good"), cell("bad", status="failed", reason="diverged")]
    scores, summary = scored(cells, [predictions(range(20)), predictions([0])])
    own = scores.set_index(["method", "metric"])
    assert own.loc[("good", "mae"), "n_test"] == 20
    assert own.loc[("bad", "mae"), ["reason", "n_test"]].tolist() == ["diverged", 0]
    assert np.isnan(own.loc[("bad", "mae"), ["value", "low", "high"]].astype(float)).all()
    assert np.isnan(summary.set_index(["method", "metric"]).loc[("bad", "mae"), "low"])


def test_rivals_without_a_common_row_have_no_scores():
    scores, _ = scored([cell("first"), cell("second")], [predictions([1, 2]), predictions([3, 4])])
    assert set(scores["reason"]) == {NO_COMMON_ROWS}
    assert scores["value"].isna().all()
    assert set(scores["n_test"]) == {0}


def test_nontrivial_values_differ_from_the_most_frequent_one():
    assert n_nontrivial([0.0, 0.0, 0.0, 1.0, 2.0, 2.0]) == 3
    assert n_nontrivial([0.0, 0.0]) == 0
    assert n_nontrivial([1.0, 2.0, 3.0]) == 3
    assert n_nontrivial(pd.Series(["a", "b", "a"])) == 1
    assert n_nontrivial([]) == 0


def test_intervals_are_around_the_scores_and_narrower_for_means_over_repeats():
    cells = [cell("any", repeat=repeat) for repeat in range(4)]
    tested = [predictions(range(10 * repeat, 10 * repeat + 10)) for repeat in range(4)]
    scores, summary = scored(cells, tested)
    own = scores[scores["metric"] == "mase"]
    assert ((own["low"] < own["value"]) & (own["value"] < own["high"])).all()
    mean = summary[summary["metric"] == "mase"].iloc[0]
    assert mean["mean"] == pytest.approx(own["value"].mean())
    assert mean["high"] - mean["low"] < 0.75 * (own["high"] - own["low"]).mean()
    assert (mean["n"], mean["low"] < mean["mean"] < mean["high"]) == (4, True)
    assert scores.loc[~scores["metric"].isin(["mae", "mase"]), ["low", "high"]].isna().all(axis=None)


def test_classes_have_intervals_of_accuracy_and_macro_f1():
    scores, _ = scored([cell("any", classes=["a", "b"])], [predictions(range(N))])
    own = scores[scores["class"] == "all"].set_index("metric")
    assert list(own.index) == ["accuracy", "macro_f1"]
    assert own.loc["accuracy", "value"] == 0.75
    assert own["low"].lt(own["value"]).all()
    assert own["high"].gt(own["value"]).all()
    assert scores.loc[scores["class"] != "all", "low"].isna().all()


def test_the_mean_over_objectives_has_an_interval_and_a_failed_objective_removes_it(tmp_path):
    cells = [cell(method, objective) for method in ("good", "bad") for objective in ("gap", "mag")]
    cells[3] |= {"status": "failed", "reason": "diverged"}
    scores, summary = scored(cells, [predictions(range(N)), predictions(range(N), 2.0)] * 2)
    for table in (scores, summary):
        own = table[(table["objective"] == "all") & (table["metric"] == "mase")].set_index("method")
        assert own.loc["good", "low"] < own.iloc[0][["value" if "value" in own else "mean"]].item()
        assert own.loc["bad", ["low", "high"]].isna().all()
    all_of = scores[(scores["objective"] == "all") & (scores["method"] == "good")].iloc[0]
    assert all_of["n_test"] == 2 * N
    write_table(tmp_path / "scores.parquet", scores, SCORES)
    write_table(tmp_path / "summary.parquet", summary, SUMMARY)


def test_means_over_the_repeats_that_all_methods_have_are_on_the_same_rows(tmp_path):
    cells = [cell("often", name, repeat=r) for name in ("gap", "mag") for r in range(3)]
    cells += [cell("once", name) for name in ("gap", "mag")]
    cells += [cell("mean", "e_form", repeat=r, split="random") for r in range(3)]
    tested = [predictions(range(10 * each["repeat"], 10 * each["repeat"] + 10)) for each in cells]
    scores, summary = scored(cells, tested)
    write_table(tmp_path / "summary.parquet", summary, SUMMARY)
    first = scores[scores["repeat"] == 0].set_index(["method", "objective", "metric"])
    found = summary.set_index(["method", "objective", "metric"])
    assert found["shared_n"].groupby("objective").unique().map(list).to_dict() == {
        "gap": [1],
        "mag": [1],
        "all": [1],
        "e_form": [3],
    }
    for key in (("often", "gap", "mase"), ("once", "mag", "mase")):
        shared = found.loc[key, ["shared_mean", "shared_low", "shared_high"]].tolist()
        assert shared == pytest.approx(first.loc[key, ["value", "low", "high"]].tolist())
    assert found.loc[("often", "gap", "mase"), "mean"] != found.loc[("often", "gap", "mase"), "shared_mean"]
    alone = found.loc[("mean", "e_form", "mase")]
    np.testing.assert_array_equal(
        alone[["shared_mean", "shared_low", "shared_high"]].to_numpy(dtype=float),
        alone[["mean", "low", "high"]].to_numpy(dtype=float),
    )
