"""Tables and figures of a run: right numbers, best cells marked, failures shown, nothing invented."""

import warnings

import numpy as np
import pandas as pd
import pytest
from made_up_results import cell_row, frames, score_rows
from PIL import Image

from polyfacet.evaluation.means import compare
from polyfacet.evaluation.score_names import scores_of
from polyfacet.evaluation.scores import scores_of_cell, with_means_over_objectives
from polyfacet.reporting.findings import grid_findings
from polyfacet.reporting.grids import SHOWN, grids
from polyfacet.reporting.picture_sheets import contact_sheet

VALUES = {
    ("text", "gap"): 0.5,
    ("text+image", "gap"): 0.4,
    ("image", "gap"): 0.9,
    ("mean", "gap"): 1.0,
    ("median", "gap"): 0.95,
    ("text", "vol_atom"): 2.0,
    ("text+image", "vol_atom"): None,
    ("image", "vol_atom"): 1.0,
    ("mean", "vol_atom"): 3.0,
    ("median", "vol_atom"): 3.5,
}


def grid_of(values=VALUES, shifts=(-0.1, 0.1), **changes):
    """Make the one grid of these MAEs; a value of None is a failed cell. Each repeat shifts them."""
    cells, scores = [], []
    for (row, objective), value in values.items():
        for repeat, shift in enumerate(shifts):
            shows = "image" in row and objective == "vol_atom"
            own = {"repeat": repeat, "n_repeats": len(shifts), "contains_answer": shows, **changes}
            cell = cell_row(row, objective, ok=value is not None, **own)
            cells.append(cell)
            scores += score_rows(cell, **({} if value is None else {"mae": value + shift, "mase": 2 * value}))
    frame, table = frames(cells, scores)
    (grid,) = grids(frame, compare(table, None))
    return grid


@pytest.fixture
def grid():
    return grid_of()


def test_rows_go_from_few_facets_to_many_and_end_in_the_baselines(grid):
    table = grid.values("mae")
    assert list(table.index) == ["text", "image", "text+image", "mean", "median"]
    assert list(table.columns) == ["gap", "vol_atom"]


def test_values_are_means_over_repeats_with_their_spread_and_failures_stay_visible(grid):
    assert grid.values("mae").loc["text", "gap"] == pytest.approx(0.5)
    assert grid.values("mae", "std").loc["text", "gap"] == pytest.approx(np.std([0.4, 0.6], ddof=1))
    assert np.isnan(grid.values("mae").loc["text+image", "vol_atom"])


@pytest.mark.parametrize("classes", [[], ["a", "b"]])
def test_a_failed_repeat_is_not_averaged_away(classes):
    place = {"n_repeats": 2, "classes": classes}
    cells = [cell_row("text", repeat=repeat, ok=repeat == 0, **place) for repeat in range(2)]
    answers = {"y_true": [1.0, 2.0], "y_pred": [1.0, 1.0], "true_class": ["a", "b"], "predicted_class": "a"}
    test = pd.DataFrame({"part": "test", **answers}, index=range(2))
    scores = [row for cell in cells for row in scores_of_cell(cell, test)]
    frame, table = frames(cells, scores)
    failed = table[table["repeat"] == 1]
    assert set(failed["reason"]) == {"no reason"}
    assert failed["value"].isna().all()
    compared = compare(table, None)
    assert set(zip(compared["class"], compared["metric"], strict=True)) == set(scores_of(classes))
    assert compared["mean"].isna().all()
    assert set(compared["n"]) == {2}
    (grid,) = grids(frame, compared)
    for metric in SHOWN[grid.kind]:
        assert np.isnan(grid.values(metric).loc["text", "gap"])


def test_a_repeat_in_which_no_cell_can_have_a_score_is_left_out_for_all():
    scores = []
    for row, error in (("text", 0.5), ("mean", 1.0)):
        for repeat, values in enumerate(([0.0, 1.0], [0.0, 0.0], [1.0, 3.0])):
            for objective in ("gap", "e_hull"):
                own = [0.0, 2.0] if objective == "gap" else values
                test = pd.DataFrame({"part": "test", "y_true": own, "y_pred": [each + error for each in own]})
                scores += scores_of_cell(cell_row(row, objective, repeat=repeat), test)
    table = with_means_over_objectives(frames([], scores)[1])
    compared = compare(table, None).set_index(["method", "objective", "class", "metric"])
    for method in ("automm", "mean"):
        for objective in ("e_hull", "all"):
            assert compared.loc[(method, objective, "all", "mase"), ["n", "shared_n"]].tolist() == [2, 2]
        assert compared.loc[(method, "e_hull", "all", "mae"), "n"] == 3
    assert compared.loc[("automm", "e_hull", "all", "mase"), "mean"] == pytest.approx((1 + 0.5) / 2)
    assert compared.loc[("mean", "all", "all", "mase"), "mean"] == pytest.approx((1.5 + 1) / 2)


def test_a_cell_that_failed_does_not_take_the_mean_of_the_others():
    scores = []
    for repeat, values in enumerate(([0.0, 1.0], [0.0, 0.0], [1.0, 3.0])):
        test = pd.DataFrame({"part": "test", "y_true": values, "y_pred": [each + 0.5 for each in values]})
        scores += scores_of_cell(cell_row("text", repeat=repeat), test)
        scores += scores_of_cell(cell_row("image", repeat=repeat, ok=repeat != 1), test)
    compared = compare(frames([], scores)[1], None).query("metric == 'mase'").set_index("combination")
    assert compared.loc["text", "mean"] == pytest.approx((1 + 0.5) / 2)
    assert np.isnan(compared.loc["image", "mean"])


def test_a_failed_objective_is_not_averaged_away():
    cells = [cell_row("text"), cell_row("text", "e_form", ok=False)]
    scores = score_rows(cells[0], mae=1.0, mase=1.0, r2=1.0) + score_rows(cells[1])
    means = with_means_over_objectives(frames(cells, scores)[1]).query("objective == 'all'")
    assert list(means["metric"]) == ["mase", "r2"]
    assert means["value"].isna().all()


def test_the_best_of_each_objective_is_marked():
    grid = grid_of(shifts=(0.0,))
    assert grid.best("mae") == {"gap": "text+image", "vol_atom": "image"}
    lines = grid.markdown("mae").splitlines()
    assert lines[0] == "| method and facets | Band gap (eV) | Volume (A^3/atom) |"
    assert "| image | 0.9 | **1** † |" in lines
    assert "| text+image | **0.4** | n/a |" in lines
    assert "0.5 ± 0.1414" in grid_of().markdown("mae")


def test_an_objective_without_any_result_has_no_best_and_does_not_warn():
    values = {
        (row, name): 1.0 if name == "gap" else None for row in ("text", "mean") for name in ("gap", "e_hull")
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grid_of(values).best("mae") == {"gap": "text"}
        assert grid_of(dict.fromkeys(values)).best("mase") == {}


def test_several_methods_are_told_apart_by_their_names():
    cells = [cell_row("text"), cell_row("text", method="trees"), cell_row("mean")]
    scores = [row for cell in cells for row in score_rows(cell, mae=1.0, mase=1.0)]
    frame, table = frames(cells, scores)
    (grid,) = grids(frame, compare(table, None))
    assert list(grid.rows.values()) == ["automm: text", "trees: text", "mean"]
    assert grid.with_role("baseline") == ["mean"]


def test_findings_name_the_best_baseline_by_role_and_no_control():
    mase = {"mean": 1.0, "graph": 0.1, "compimage": 0.5, "text": 0.6, "text+compimage": 0.4}
    cells = [
        cell_row(
            row,
            untrained=["graph"] if row == "graph" else [],
            **({"role_baseline": True} if row == "compimage" else {}),
        )
        for row in mase
    ]

    def findings(values):
        scores = [
            row for cell, value in zip(cells, values, strict=True) for row in score_rows(cell, mase=value)
        ]
        frame, table = frames(cells, scores)
        (grid,) = grids(frame, compare(table, None))
        assert "graph" not in {grid.best("mase")["gap"], *grid.with_role("single", "multi")}
        (said,) = grid_findings(grid)
        return said.split("Band gap: ")[1]

    said = findings(mase.values())
    assert said.startswith("best facets: `text+compimage`, MASE 0.400")
    assert "; best baseline: `compimage`, MASE 0.500" in said
    said = findings([1.0, 0.1, 0.2, 0.6, 0.4])
    assert said.startswith("best facets: `compimage`, MASE 0.200")
    assert said.endswith(", which is a baseline: it sees the composition alone")
    assert "; best baseline: `mean`" in findings([0.3, 0.1, 0.5, 0.6, 0.4])


def test_a_run_whose_facets_are_all_controls_has_no_best_facets():
    cells = [cell_row("mean"), cell_row("graph", untrained=["graph"])]
    scores = [row for cell in cells for row in score_rows(cell, mae=1.0, mase=0.5)]
    frame, table = frames(cells, scores)
    (grid,) = grids(frame, compare(table, None))
    assert grid.best("mase") == {"gap": "mean"}
    (said,) = grid_findings(grid)
    assert said.endswith(
        "Band gap: no cell with facets, untrained controls aside, has a MASE in every repeat"
    )
    is_control = table["combination"] == "graph"
    (alone,) = grids(frame[1:], compare(table[is_control], None))
    assert alone.best("mase") == {}


def test_sources_and_splits_have_grids_of_their_own():
    places = [("crystals", "random"), ("crystals", "formula"), ("steels", "random")]
    cells = [cell_row("text", source=source, split=split) for source, split in places]
    scores = [row for cell in cells for row in score_rows(cell, mae=1.0, mase=1.0)]
    frame, table = frames(cells, scores)
    assert [(grid.source, grid.split) for grid in grids(frame, compare(table, None))] == places


def test_the_contact_sheet_shows_every_picture(tmp_path):
    paths = []
    for i in range(12):
        paths.append(tmp_path / f"{i}.png")
        Image.new("RGB", (16, 16), (20 * i, 0, 0)).save(paths[-1])
    figure = contact_sheet(paths, [f"X{i}" for i in range(12)])
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == [f"X{i}" for i in range(12)]
