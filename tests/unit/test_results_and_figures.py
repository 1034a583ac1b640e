"""Tables and figures of a run: right numbers, best cells marked, failures shown, nothing invented."""

import warnings

import numpy as np
import pandas as pd
import pytest
from made_up_results import cell_row, frames, score_rows
from PIL import Image

from polyfacet.evaluation.metrics import scores_of
from polyfacet.evaluation.scores import compare, scores_of_cell, with_means_over_objectives
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
            cell = cell_row(
                row, objective, ok=value is not None, repeat=repeat, contains_answer=shows, **changes
            )
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
    cells = [cell_row("text", repeat=repeat, ok=repeat == 0, classes=classes) for repeat in range(2)]
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
    assert "| text+image | **0.4** | n/a † |" in lines
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
    assert grid.baselines == ["mean"]


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
