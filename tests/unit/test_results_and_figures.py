"""Tables and figures of a run: right numbers, best cells marked, failures shown, nothing invented."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from polyfacet.reporting.figures import contact_sheet, mae_bars, mase_heatmap, save
from polyfacet.reporting.results import answer_cells, best_rows, pivot, to_markdown, with_best

UNITS = {"gap": "eV", "vol_atom": "A^3/atom"}


@pytest.fixture
def cells():
    values = {
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
    rows = [
        {
            "row": row,
            "target": target,
            "mae": np.nan if value is None else value + shift,
            "mase": np.nan if value is None else 2 * value,
            "contains_answer": "image" in row and target == "vol_atom",
        }
        for (row, target), value in values.items()
        for shift in (-0.1, 0.1)
    ]
    return pd.DataFrame(rows)


def test_rows_go_from_few_facets_to_many_and_end_in_the_dummies(cells):
    table = pivot(cells, "mae")
    assert list(table.index) == ["text", "image", "text+image", "mean", "median"]
    assert list(table.columns) == ["gap", "vol_atom"]


def test_values_are_means_over_repeats_and_failures_stay_visible(cells):
    table = pivot(cells, "mae")
    assert table.loc["text", "gap"] == pytest.approx(0.5)
    assert np.isnan(table.loc["text+image", "vol_atom"])


def test_a_failed_repeat_is_not_averaged_away(cells):
    cells.loc[0, "mae"] = np.nan
    assert np.isnan(pivot(cells, "mae").loc["text", "gap"])


def test_the_best_of_each_target_is_marked(cells):
    table = pivot(cells, "mae")
    assert best_rows(table) == {"gap": "text+image", "vol_atom": "image"}
    assert list(with_best(table).loc["best"]) == ["text+image", "image"]
    lines = to_markdown(table, answer_cells(cells), UNITS).splitlines()
    assert lines[0] == "| facets | Band gap (eV) | Volume (A^3/atom) |"
    assert "| image | 0.9 | **1** † |" in lines
    assert "| text+image | **0.4** | n/a † |" in lines


def test_figures_are_files_with_content_and_equal_for_equal_input(cells, tmp_path):
    for name in ("a", "b"):
        save(mase_heatmap(pivot(cells, "mase"), answer_cells(cells)), tmp_path / f"heatmap_{name}.png")
        save(mae_bars(pivot(cells, "mae")), tmp_path / f"bars_{name}.png")
    for kind in ("heatmap", "bars"):
        first, second = (tmp_path / f"{kind}_{name}.png" for name in "ab")
        assert first.read_bytes() == second.read_bytes()
        with Image.open(first) as picture:
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50


def test_the_heatmap_says_what_the_table_says(cells):
    table = pivot(cells, "mase")
    texts = [text.get_text() for text in mase_heatmap(table, answer_cells(cells)).axes[0].texts]
    assert texts[: len(table.columns)] == ["1.00", "4.00"]
    assert "n/a†" in texts


def test_the_contact_sheet_shows_every_picture(tmp_path):
    paths = []
    for i in range(12):
        paths.append(tmp_path / f"{i}.png")
        Image.new("RGB", (16, 16), (20 * i, 0, 0)).save(paths[-1])
    figure = contact_sheet(paths, [f"X{i}" for i in range(12)])
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == [f"X{i}" for i in range(12)]
