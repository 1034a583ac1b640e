"""Choices of the best cells: by validation rows alone, among cells that have every repeat."""

import numpy as np
import pandas as pd
import pytest
from compared_cells import cells_with, on_test, validated
from grid_cells import card_of

from polyfacet.evaluation.choices import CHOICES, choose
from polyfacet.evaluation.losses import candidates, losses_on_test, validation_losses
from polyfacet.evaluation.roles import roles_of
from polyfacet.evaluation.tables import KEYS, cell_row
from polyfacet.runtime.parquet import write_table

LOSSES = {
    ("mean", "none"): [(1.0, 1.0)] * 2,
    ("ridge", "graph"): [(0.5, 0.9), (0.6, 0.9)],
    ("trees", "graph"): [(0.6, 0.1), (0.5, 0.1)],
    ("ridge", "compimage"): [(0.7, 0.8)] * 2,
    ("ridge", "graph+compimage"): [(0.4, 0.7)] * 2,
    ("trees", "graph+compimage"): [(0.4, 0.2)] * 2,
}


@pytest.mark.parametrize(
    ("combination", "engine", "expected"),
    [
        ("none", "dummy", "baseline"),
        ("graph", "classical", "single"),
        ("compimage", "classical", "single baseline"),
        ("compimage", "automm", "single"),
        ("composition", "classical", "single baseline"),
        ("process", "classical", "single"),
        ("text:composition+compimage", "classical", "multi baseline"),
        ("text:cif", "classical", "single"),
        ("graph+compimage", "classical", "multi"),
    ],
)
def test_roles_follow_from_the_facets_and_the_engine(combination, engine, expected):
    roles = roles_of(combination, engine, {})
    assert {name.removeprefix("role_") for name, has in roles.items() if has} == set(expected.split())


def test_the_role_of_a_text_depends_on_the_form_of_the_run():
    assert roles_of("text", "classical", {"text": "composition"})["role_baseline"]
    assert not roles_of("text", "classical", {"text": "cif"})["role_baseline"]


@pytest.mark.parametrize(("member", "is_baseline"), [("classical", True), ("automm", False)])
def test_blends_and_ensembles_are_as_cheap_as_their_members(member, is_baseline):
    ridge = {"method": "ridge", "engine": "classical", "settings": {}, "combinations": ["compimage"]}
    blend = {"members": [ridge, {**ridge, "method": "other", "engine": member}]}
    ensemble = {"members": [{"engine": "classical"}, {"engine": member}]}
    nested = {"members": [{"engine": "ensemble", "settings": ensemble}]}
    for engine, settings in (("blend", blend), ("ensemble", ensemble), ("ensemble", nested)):
        card = card_of(combination="compimage", engine=engine, settings=settings)
        row = cell_row(card, {"label": "Gap", "unit": "eV"})
        assert (row["role_single"], row["role_baseline"]) == (True, is_baseline)


def test_each_role_is_chosen_in_each_repeat_by_its_validation_loss(tmp_path):
    cells = cells_with(LOSSES)
    found = choose(validated(cells), on_test(cells))
    chosen = found.set_index(["role", "repeat"])
    assert (chosen["method"] + " " + chosen["combination"]).to_dict() == {
        ("single", 0): "ridge graph",
        ("single", 1): "trees graph",
        ("baseline", 0): "ridge compimage",
        ("baseline", 1): "ridge compimage",
        # Of equally good ones, the first.
        ("multi", 0): "ridge graph+compimage",
        ("multi", 1): "ridge graph+compimage",
        ("any", 0): "ridge graph+compimage",
        ("any", 1): "ridge graph+compimage",
    }
    # What is best on the test part does not matter.
    assert chosen["test_loss"]["single"].tolist() == [0.9, 0.1]
    assert chosen["valid_loss"]["single"].tolist() == [0.5, 0.5]
    write_table(tmp_path / "choices.parquet", found[CHOICES.names], CHOICES)


def test_a_role_that_no_cell_has_is_not_chosen():
    cells = cells_with({("ridge", "graph"): [(0.5, 0.9)]})
    assert set(choose(validated(cells), on_test(cells))["role"]) == {"single", "any"}
    assert choose(validated(cells[:0]), on_test(cells[:0])).empty


def unjudged(cells):
    """Return cells without the losses that follow from predictions."""
    return cells.drop(columns=["valid_error", "valid_loss", "n_valid", "loss"])


def predicted(cells, rows, error=None):
    """Return predictions of cells for validation rows, materials m0, m1, ..., whose values are 0, 1, ..."""
    numbers = np.arange(rows)
    tables = [
        pd.DataFrame({"mat_id": [f"m{number}" for number in numbers]}).assign(
            **{name: cell[name] for name in KEYS},
            y_true=numbers * 1.0,
            y_pred=numbers + (cell["valid_loss"] if error is None else error(numbers)),
            true_class=np.where(numbers % 2, "a", "b"),
            predicted_class="a",
        )
        for cell in cells.to_dict("records")
    ]
    return pd.concat(tables, ignore_index=True)


def test_only_cells_that_have_every_repeat_are_candidates():
    cells = cells_with({**LOSSES, ("automm", "graph"): [(0.1, 0.1)]})
    rows = predicted(cells, 4)
    assert "automm" not in set(candidates(cells, rows)["method"])
    failed = (cells["method"] == "ridge") & (cells["combination"] == "graph") & (cells["repeat"] == 1)
    left = candidates(cells.assign(status=np.where(failed, "failed", "ok")), rows)
    assert ("ridge", "graph") not in set(zip(left["method"], left["combination"], strict=True))
    without = (rows["method"] == "trees") & (rows["combination"] == "graph") & (rows["repeat"] == 0)
    left = candidates(cells, rows[~without])
    assert ("trees", "graph") not in set(zip(left["method"], left["combination"], strict=True))
    assert len(left) == 2 * (len(LOSSES) - 1)


def test_controls_are_no_candidates():
    cells = cells_with(LOSSES)
    # Untrained in one repeat is enough.
    is_control = (cells["method"] == "ridge") & (cells["combination"] == "graph") & (cells["repeat"] == 0)
    cells["untrained"] = [["graph"] if control else [] for control in is_control]
    left = candidates(cells, predicted(cells, 4))
    assert len(left) == len(cells) - 2
    assert ("ridge", "graph") not in set(zip(left["method"], left["combination"], strict=True))


def test_candidates_are_judged_on_the_validation_rows_that_all_of_them_have():
    cells = cells_with({("ridge", "graph"): [(0.5, 0)], ("ridge", "compimage"): [(0.5, 0)]})
    graph, compimage = (cells[cells["combination"] == name] for name in ("graph", "compimage"))
    rows = [predicted(graph, 8, lambda numbers: 1.0 + 100 * (numbers > 3)), predicted(compimage, 4)]
    found = validation_losses(unjudged(cells), pd.concat(rows, ignore_index=True)).set_index("combination")
    assert found["n_valid"].tolist() == [4, 4]
    assert found.loc["graph", "valid_error"] == 1.0
    # Mean absolute deviation of 0, 1, 2, 3.
    assert found.loc["compimage", "valid_loss"] == pytest.approx(0.5 / 1.0)


def test_candidates_without_a_common_validation_row_cannot_be_judged():
    cells = cells_with({("ridge", "graph"): [(0.5, 0)], ("ridge", "compimage"): [(0.5, 0)]})
    rows = predicted(cells, 2).assign(mat_id=list("abcd"))
    assert validation_losses(unjudged(cells), rows).empty


def test_equal_validation_values_rank_by_the_error():
    cells = cells_with({("ridge", "graph"): [(0.5, 0)], ("trees", "graph"): [(0.2, 0)]})
    found = validation_losses(unjudged(cells), predicted(cells, 3).assign(y_true=1.0, y_pred=1.5))
    assert found["valid_loss"].isna().all()
    assert found["valid_error"].tolist() == [0.5, 0.5]


def test_the_loss_of_classes_is_one_minus_macro_f1():
    cells = cells_with({("trees", "graph"): [(0.5, 0)]})
    cells["classes"] = [["a", "b"]] * len(cells)
    found = validation_losses(unjudged(cells), predicted(cells, 4))
    # F1 of a: 2/3 (precision 1/2, recall 1); of b: 0.
    assert found["valid_loss"].tolist() == pytest.approx([1 - 1 / 3])
    score = dict.fromkeys(KEYS, "x") | {"class": "all", "n_test": 4, "n_nontrivial": 2}
    scores = pd.DataFrame(
        [
            {**score, "objective": "phase", "metric": "macro_f1", "value": 0.7},
            {**score, "objective": "gap", "metric": "mase", "value": 0.4},
            {**score, "objective": "gap", "metric": "mae", "value": 9.0},
            {**score, "objective": "all", "metric": "mase", "value": 0.4},
        ]
    )
    assert losses_on_test(scores)["loss"].tolist() == pytest.approx([0.3, 0.4])
