"""Errors by element, crystal system and size, and the worst predictions."""

import numpy as np
import pandas as pd
import pytest
from held_out_cells import cell, cells_table, classes, held_out, numbers

from polyfacet.evaluation.errors_by_group import ERRORS_BY_GROUP, errors_by_group
from polyfacet.evaluation.material_groups import groups_of
from polyfacet.evaluation.worst import N_WORST, WORST, worst_predictions
from polyfacet.runtime.parquet import write_table

SAMPLE = pd.DataFrame(
    {
        "mat_id": ["m0", "m1", "m2", "m3"],
        "formula": ["NaCl", "Na2O", "KCl", "KCl"],
        "space_group": pd.array([225, 225, 2, None], dtype="Int16"),
        "n_sites": [2, 3, 8, 65],
    }
)
FIRST = numbers("test", {0: (1.0, 2.0), 1: (4.0, 2.0)})
SECOND = numbers("test", {1: (4.0, 5.0), 2: (0.0, 3.0)})


def chosen(*cells, role="any"):
    names = ["source", "split", "repeat", "objective", "method", "combination"]
    return cells_table(cells)[names].assign(role=role)


def in_groups(cells, predictions, choices, tmp_path):
    found = held_out(cells, predictions, 4)
    table = errors_by_group(cells_table(cells), found.tested(), {"crystals": groups_of(SAMPLE)}, choices)
    write_table(tmp_path / "errors_by_group.parquet", table, ERRORS_BY_GROUP)
    return table


def test_materials_are_grouped_by_elements_crystal_system_and_size():
    groups = groups_of(SAMPLE)
    members = groups.members.toarray().T.astype(bool)
    found = {name: list(SAMPLE["mat_id"][own]) for name, own in zip(groups.names, members, strict=True)}
    assert found == {
        "all": ["m0", "m1", "m2", "m3"],
        "Cl": ["m0", "m2", "m3"],
        "K": ["m2", "m3"],
        "Na": ["m0", "m1"],
        "O": ["m1"],
        "triclinic": ["m2"],
        "cubic": ["m0", "m1"],
        "1 to 4 sites": ["m0", "m1"],
        "5 to 8 sites": ["m2"],
        "more than 64 sites": ["m3"],
    }
    assert groups.kinds == ["all"] + ["element"] * 4 + ["crystal_system"] * 2 + ["size"] * 3
    assert set(groups_of(SAMPLE[["formula"]]).kinds) == {"all", "element"}


@pytest.mark.parametrize(
    ("number", "system"),
    [(1, "triclinic"), (3, "monoclinic"), (16, "orthorhombic"), (74, "orthorhombic"), (75, "tetragonal"),
     (142, "tetragonal"), (143, "trigonal"), (167, "trigonal"), (168, "hexagonal"), (195, "cubic")],
)  # fmt: skip
def test_crystal_systems_are_ranges_of_space_groups(number, system):
    groups = groups_of(SAMPLE[:1].assign(space_group=number))
    assert groups.names[groups.kinds.index("crystal_system")] == system


def test_errors_are_those_of_all_repeats(tmp_path):
    cells = [cell("ridge graph", repeat=0), cell("ridge graph", repeat=1)]
    table = in_groups(cells, [[FIRST], [SECOND]], chosen(cells[1]), tmp_path).set_index("group")
    values = ["n", "n_materials", "mae", "mean_true", "bias"]
    # Errors: m0 1; m1 -2 and 1; m2 3.
    assert table.loc["Na", values].tolist() == pytest.approx([3, 2, 4 / 3, 3.0, 0.0])
    assert table.loc["Cl", values].tolist() == pytest.approx([2, 2, 2.0, 0.5, 2.0])
    # Materials of several elements count once.
    assert table.loc["all", values].tolist() == pytest.approx([4, 3, 7 / 4, 2.25, 0.75])
    assert table.loc["O", values].tolist() == pytest.approx([2, 1, 1.5, 4.0, -0.5])
    assert table.loc["cubic", values].tolist() == pytest.approx([3, 2, 4 / 3, 3.0, 0.0])
    assert "more than 64 sites" not in table.index


def test_cells_that_were_never_chosen_are_left_out_unless_they_are_baselines(tmp_path):
    cells = [cell("ridge graph"), cell("trees graph"), cell("mean none", role_baseline=True)]
    table = in_groups(cells, [[FIRST]] * 3, chosen(cells[0], role="single"), tmp_path)
    assert list(dict.fromkeys(table["method"])) == ["ridge", "mean"]
    failed = [cell("ridge graph", ok=False)]
    assert in_groups(failed, [[FIRST]], chosen(*failed), tmp_path).empty


def test_the_error_of_classes_is_the_share_of_wrong_ones(tmp_path):
    cells = [cell("ridge graph", classes=["a", "b"])]
    rows = {0: ("a", {"a": 0.9, "b": 0.1}), 1: ("b", {"a": 0.9, "b": 0.1})}
    table = in_groups(cells, [[classes("test", rows)]], chosen(*cells), tmp_path).set_index("group")
    assert table["mae"].to_dict() == {
        "all": 0.5,
        **{"Cl": 0.0, "Na": 0.5, "O": 1.0, "cubic": 0.5, "1 to 4 sites": 0.5},
    }
    assert table[["bias", "mean_true"]].isna().all(axis=None)


def test_the_worst_predictions_are_the_largest_errors_over_the_repeats(tmp_path):
    cells = [cell("ridge graph", repeat=0), cell("trees graph", repeat=1), cell("ridge graph", repeat=1)]
    found = held_out(cells, [[FIRST], [SECOND], [FIRST]], 4)
    choices = pd.concat([chosen(*cells[:2]), chosen(cells[2], role="single")])
    worst = worst_predictions(found.cells, found.tested(), {"crystals": SAMPLE}, choices)
    write_table(tmp_path / "worst.parquet", worst, WORST)
    shown = worst[["repeat", "method", "mat_id", "formula", "y_true", "y_pred", "error"]]
    # Repeat 1 is compared on m1, which both rivals have.
    assert shown.to_numpy().tolist() == [
        [0, "ridge", "m1", "Na2O", 4.0, 2.0, -2.0],
        [0, "ridge", "m0", "NaCl", 1.0, 2.0, 1.0],
    ]


def test_each_objective_has_its_own_worst_predictions(tmp_path):
    many = pd.DataFrame({"mat_id": [f"m{n}" for n in range(30)], "formula": "NaCl"})
    rows = numbers("test", {n: (0.0, float(n)) for n in range(30)})
    cells = [cell("ridge graph"), cell("ridge graph", "e_form"), cell("ridge graph", "e_hull", classes=["a"])]
    found = held_out(cells, [[rows], [rows.assign(y_pred=0.01)], [rows]], 30)
    worst = worst_predictions(found.cells, found.tested(), {"crystals": many}, chosen(*cells))
    assert worst["objective"].tolist() == ["gap"] * N_WORST + ["e_form"] * N_WORST
    assert worst["error"][:N_WORST].tolist() == list(np.arange(29.0, 19.0, -1))
    nothing = worst_predictions(found.cells, found.tested(), {"crystals": many}, chosen(*cells)[:0])
    write_table(tmp_path / "worst.parquet", nothing, WORST)
