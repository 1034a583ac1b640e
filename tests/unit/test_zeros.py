"""Objectives whose zero has a meaning: the decision between zero and not zero."""

import numpy as np
import pytest
from held_out_cells import cell, held_out, numbers

from polyfacet.config.completion import complete_config
from polyfacet.evaluation.zeros import (
    NO_VALIDATION,
    ONE_PREDICTION,
    ONE_SIDED_TEST,
    ONE_SIDED_VALID,
    ZEROS,
    assess_zeros,
    best_threshold,
)
from polyfacet.materials.column_objectives import objectives_of_crystals
from polyfacet.materials.crystal_objectives import PREDEFINED, CrystalObjective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import write_table
from polyfacet.sources.tables.description import objectives_of, read_of_table, table_source

VALID = {20: (0.0, 0.2), 21: (0.0, 0.4), 22: (1.0, 0.6), 23: (1.0, 0.8)}
TEST = {0: (0.0, 0.1), 1: (0.0, 0.6), 2: (1.0, 0.5), 3: (2.0, 0.9)}
SCORES = ["auc", "f1", "kappa", "threshold", "mae_nonzero"]


def assessed(tmp_path, valid, test, named=("metal", "insulator"), **changes):
    cells = [cell("ridge graph", **changes)]
    found = held_out(cells, [[numbers("valid", valid), numbers("test", test)]])
    table = assess_zeros(found, found.tested(), {"crystals": {"gap": named} if named else {}})
    write_table(tmp_path / "zeros.parquet", table, ZEROS)
    return table


def test_scores_of_the_decision(tmp_path):
    row = assessed(tmp_path, VALID, TEST).iloc[0]
    # 0.5 > 0.1, 0.9 > 0.1, 0.9 > 0.6, but not 0.5 > 0.6; above 0.5 are one zero and one of the others.
    assert row[SCORES].tolist() == pytest.approx([3 / 4, 1 / 2, 0.0, 0.5, (0.5 + 1.1) / 2])
    assert row[["zero", "nonzero"]].tolist() == ["metal", "insulator"]
    assert row[["n_test", "n_zero", "reason"]].tolist() == [4, 2, None]


@pytest.mark.parametrize(
    ("nonzero", "predicted", "expected"),
    [
        ([0, 0, 1, 1], [0.2, 0.4, 0.6, 0.8], 0.5),
        # Youden's J is 1/2 above 0.8 and above 0.2: the higher one.
        ([0, 1, 0, 1], [0.1, 0.3, 0.7, 0.9], 0.8),
        # Nothing is better than to call all zero.
        ([1, 1, 0], [0.1, 0.2, 0.9], 0.9),
    ],
)
def test_the_threshold_divides_validation_rows_best(nonzero, predicted, expected):
    assert best_threshold(np.array(nonzero, dtype=bool), np.array(predicted)) == pytest.approx(expected)


def test_a_constant_prediction_tells_nothing_from_zero(tmp_path):
    valid = {number: (true, 0.5) for number, (true, _) in VALID.items()}
    # After a fit on validation rows, too, the constant is another one.
    test = {number: (true, 0.6) for number, (true, _) in TEST.items()}
    row = assessed(tmp_path, valid, test).iloc[0]
    assert row["auc"] == 0.5
    assert row[["f1", "kappa", "threshold"]].isna().all()
    assert row["reason"] == ONE_PREDICTION


def test_scores_that_are_not_defined_say_why(tmp_path):
    zeros = dict.fromkeys(range(4), (0.0, 0.1))
    row = assessed(tmp_path, VALID, zeros).iloc[0]
    assert row["reason"] == ONE_SIDED_TEST
    assert row[SCORES].isna().all()
    row = assessed(tmp_path, {20: (0.0, 0.1)}, TEST).iloc[0]
    assert row["reason"] == ONE_SIDED_VALID
    assert row[SCORES].isna().tolist() == [False, True, True, True, False]
    assert assessed(tmp_path, {}, TEST).loc[0, "reason"] == NO_VALIDATION
    row = assessed(tmp_path, VALID, TEST, ok=False).iloc[0]
    assert row[["n_test", "reason"]].tolist() == [0, "no reason"]


def test_objectives_whose_zero_means_nothing_are_left_out(tmp_path):
    assert assessed(tmp_path, VALID, TEST, named=()).empty


def test_objectives_declare_what_zero_means():
    assert {each.name for each in PREDEFINED if each.zero} == {"gap"}
    own = {"name": "moment", "column": "m", "zero": ["nonmagnetic", "magnetic"]}
    configured = complete_config({"objectives": ["gap", own]})["objectives"]
    found = objectives_of_crystals(configured)
    assert {name: each.zero for name, each in found.items()} == {
        "gap": ("metal", "insulator"),
        "moment": ("nonmagnetic", "magnetic"),
    }
    # Cells do not get it, and neither labels nor units change.
    assert "zero" not in {**found["gap"].learned, **found["gap"].shown}


def test_tables_declare_it_and_are_not_read_again():
    section = {
        "file": "a.csv",
        "composition": {"formula": "F"},
        "objectives": {"strain": {"column": "e", "zero": ["brittle", "ductile"]}},
    }
    completed = complete_config({"tables": {"steel": section}})["tables"]["steel"]
    assert objectives_of(table_source("steel", completed))[0].zero == ("brittle", "ductile")
    assert "zero" not in read_of_table(completed)["objectives"]["strain"]


@pytest.mark.parametrize(
    ("zero", "classes", "message"),
    [
        (["metal"], [], "at least 2"),
        (["metal", "metal"], [], "repeated"),
        (["metal", "insulator"], ["a", "b"], "`zero` is for numbers"),
    ],
)
def test_wrong_meanings_of_zero_are_refused(zero, classes, message):
    own = {"name": "moment", "column": "m", "zero": zero, "classes": classes}
    with pytest.raises(UserError, match=message):
        complete_config({"objectives": [own]})


@pytest.mark.parametrize("zero", ["metal", ("metal",), ("a", "a"), ("a", ""), ["a", "b"]])
def test_plug_ins_with_wrong_meanings_of_zero_are_refused(zero):
    with pytest.raises(ValueError, match=r"zero of the objective 'x' is .*not two different names"):
        CrystalObjective("x", "x", "", "x", lambda of: 0.0, zero=zero)
