"""Floors of models that see the composition alone, and scores below them."""

import numpy as np
import pandas as pd
import pytest
from held_out_cells import cell, held_out, numbers

from polyfacet.evaluation.floors import BELOW_FLOOR, FLOORS, below_floor, find_floors, floor_of
from polyfacet.evaluation.scores import scores_of_cell
from polyfacet.runtime.parquet import write_table

FORMULAS = np.array(["NaCl", "NaCl", "NaCl", "KBr", "KBr", "RbI"], dtype=object)
TRUE = [0.0, 1.0, 5.0, 2.0, 4.0]
# Errors of the medians 1 and 3: 1, 0, 4, 1, 1; deviations from the mean 2.4: 2.4, 1.4, 2.6, 0.4, 1.6.
MAE, MASE = 7 / 5, 7 / 8.4


def test_the_floor_is_the_error_of_the_median_of_each_formula():
    assert floor_of(np.array(TRUE), FORMULAS[:5]) == pytest.approx((MAE, MASE))
    mae, mase = floor_of(np.array([2.0, 2.0]), FORMULAS[:2])
    assert mae == 0
    assert np.isnan(mase)


def judged(predicted, *rows, **changes):
    """Return cells that predict this for the materials with these values, and their floors and scores."""
    cells = [cell(row, **changes) for row in rows]
    predictions = numbers("test", dict(enumerate(zip(TRUE, predicted, strict=True))))
    found = held_out(cells, [[predictions]] * len(cells))
    floors, of_cells = find_floors(found.cells, found.tested(), {"crystals": FORMULAS})
    scores = [row for own in found.cells for row in scores_of_cell(own, predictions)]
    return floors, of_cells, pd.DataFrame(scores)


def test_floors_are_those_of_the_common_test_rows(tmp_path):
    cells = [cell("ridge text"), cell("trees text")]
    rows = dict(enumerate((true, 0.0) for true in [*TRUE, 9.0]))
    few = {number: value for number, value in rows.items() if number < 5}
    found = held_out(cells, [[numbers("test", rows)], [numbers("test", few)]])
    floors, of_cells = find_floors(found.cells, found.tested(), {"crystals": FORMULAS})
    assert floors[["n_test", "n_formulas"]].to_numpy().tolist() == [[5, 2]]
    assert floors[["floor_mae", "floor_mase"]].to_numpy()[0] == pytest.approx([MAE, MASE])
    assert of_cells["method"].tolist() == ["ridge", "trees"]
    write_table(tmp_path / "floors.parquet", floors, FLOORS)


@pytest.mark.parametrize(
    ("combination", "forms", "is_found"),
    [
        ("none", {}, True),
        ("compimage", {}, True),
        ("text", {"text": "composition"}, True),
        ("text", {"text": "cif"}, False),
        ("text+compimage", {"text": "composition"}, True),
        ("graph+compimage", {}, False),
    ],
)
def test_only_models_that_see_the_composition_alone_cannot_be_below(combination, forms, is_found, tmp_path):
    _, of_cells, scores = judged(TRUE, f"ridge {combination}")
    found = below_floor(scores, of_cells, forms)
    assert found[["combination", "mase"]].to_numpy().tolist() == ([[combination, 0.0]] if is_found else [])
    assert found["floor_mase"].tolist() == pytest.approx([MASE] if is_found else [])
    write_table(tmp_path / "below_floor.parquet", found, BELOW_FLOOR)


def test_the_best_answer_is_on_the_floor_and_rounding_takes_no_score_below():
    _, of_cells, scores = judged([1, 1, 1, 3, 3], "ridge text")
    assert below_floor(scores, of_cells, {}).empty
    _, of_cells, scores = judged([1, 1, 1 + 1e-6, 3, 3], "ridge text")
    assert below_floor(scores, of_cells, {}).empty
    _, of_cells, scores = judged([1, 1, 1.01, 3, 3], "ridge text")
    assert len(below_floor(scores, of_cells, {})) == 1


def test_classes_and_failed_cells_have_no_floor(tmp_path):
    predictions = numbers("test", {0: (0.0, 1.0)})
    cells = [cell("ridge text", classes=["a", "b"]), cell("trees text", "e_form", ok=False)]
    found = held_out(cells, [[predictions], [predictions]])
    floors, of_cells = find_floors(found.cells, found.tested(), {"crystals": FORMULAS})
    assert floors.empty
    write_table(tmp_path / "floors.parquet", floors, FLOORS)
    scores = [row for own in found.cells for row in scores_of_cell(own, predictions[:0])]
    below = below_floor(pd.DataFrame(scores), of_cells, {})
    write_table(tmp_path / "below_floor.parquet", below, BELOW_FLOOR)
