"""The leakage audit: what facets know of objectives, and what crosses the parts of a split."""

import json

import numpy as np
import pandas as pd
import pytest

from polyfacet.evaluation.crossing_parts import AUDIT_PARTS, audit_parts
from polyfacet.evaluation.formulas import Formulas
from polyfacet.evaluation.leakage import (
    AUDIT,
    OUTSIDE,
    TRAINING_PART,
    Knowledge,
    Trainings,
    audit,
    fitted_on_all_rows,
    from_elsewhere,
)
from polyfacet.facets.declaration import UNTRAINED
from polyfacet.facets.registry import COMPIMAGE, COMPOSITION, GRAPH, IMAGE, PROCESS, TEXT
from polyfacet.materials.crystal_objectives import DOS_EF, GAP, VOL_ATOM
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import write_table

MASS = Objective("mass", follows_from=frozenset({"composition"}))
CRYSTAL_OBJECTIVES = [GAP.objective, VOL_ATOM.objective, DOS_EF.objective]
LEARNED = {"gap": {"mae": 0.1}, "phase=glass": {"mae": 0.2}}


def audited(objectives, facets, tmp_path, *, source="crystals", forms=None, knowledge=None):
    table = audit(source, objectives, facets, forms or {"text": "composition"}, knowledge or {})
    write_table(tmp_path / "audit.parquet", table, AUDIT)
    return table.set_index(["objective", "facet"])


def test_objectives_follow_from_facets_that_show_what_they_are_computed_from(tmp_path):
    facets = [TEXT, TEXT.variant("cif"), IMAGE, GRAPH, COMPIMAGE]
    follows = audited(CRYSTAL_OBJECTIVES, facets, tmp_path)["follows"]
    assert set(follows[follows].index) == {("vol_atom", name) for name in ("text:cif", "image", "graph")}
    follows = audited(CRYSTAL_OBJECTIVES, [TEXT], tmp_path, forms={"text": "cif"})["follows"]
    assert set(follows[follows].index) == {("vol_atom", "text")}
    follows = audited([MASS], [COMPOSITION, PROCESS, TEXT], tmp_path, source="steel")["follows"]
    assert follows["mass"].to_dict() == {"composition": True, "process": False, "text": True}


def test_encoders_know_the_objectives_that_they_were_trained_on(tmp_path):
    record = {"kind": "trained", "training": {"validation_errors": LEARNED, "epochs": 3}}
    record["pretraining"] = {"validation_errors": {"dos_ef": {}}}
    network = Trainings.model_validate_json(json.dumps(record))
    assert network.facet == "graph"
    found = audited(CRYSTAL_OBJECTIVES, [GRAPH, TEXT], tmp_path, knowledge={"graph": network.knowledge})
    assert found["pretrained"].to_dict() == {
        ("gap", "graph"): TRAINING_PART,
        ("vol_atom", "graph"): "",
        ("dos_ef", "graph"): OUTSIDE,
        **{(name, "text"): "" for name in ("gap", "vol_atom", "dos_ef")},
    }
    note = "trained on the training part: gap, phase; trained on the materials outside the sample: dos_ef"
    assert set(found["note"]["gap"]) == {note, ""}


@pytest.mark.parametrize(("n_left_out", "is_noted"), [(None, True), (3, False)])
def test_pretraining_that_may_show_what_a_split_holds_out_is_noted(n_left_out, is_noted):
    outside = {"method": "folds", "n_left_out": n_left_out}
    record = Trainings(pretraining={"validation_errors": LEARNED}, outside=outside)
    assert any("that the split `folds` holds out" in note for note in record.knowledge.notes) == is_noted


def test_what_encoders_know_adds_up_over_repeats_and_methods(tmp_path):
    first = Trainings(facet="image", label="network", training={"validation_errors": {"gap": {}}})
    second = Trainings(facet="image", label="network", training={"validation_errors": LEARNED})
    known = first.knowledge | second.knowledge | Trainings().knowledge | from_elsewhere("owner/model@abc")
    assert known.learned == {TRAINING_PART: {"gap", "phase"}}
    assert "encoding: network" in known.notes
    found = audited([GAP.objective], [IMAGE], tmp_path, knowledge={"image": known})
    assert found.loc[("gap", "image"), "pretrained"] == TRAINING_PART
    assert "starts from owner/model@abc" in found.loc[("gap", "image"), "note"]
    assert Knowledge() | Knowledge() == Knowledge()


def test_grey_levels_that_have_seen_the_test_part_are_noted(tmp_path):
    notes = audited([MASS], [COMPIMAGE], tmp_path, knowledge={"compimage": fitted_on_all_rows()})["note"]
    assert "`composition.fit: all`" in notes["mass", "compimage"]


def test_untrained_networks_are_called_controls():
    trained = {"validation_errors": {"gap": {}}}
    assert Trainings(kind="random").knowledge.notes == ("control: untrained network",)
    assert "control" not in str(Trainings(kind="trained", training=trained).knowledge.notes)
    assert not Trainings(kind="pretrained", pretraining=trained).is_control
    assert Trainings(facet="image", label=UNTRAINED).is_control
    assert not Trainings(facet="image", label="network").is_control


def test_composition_images_contain_some_objectives_of_pure_elements(tmp_path):
    notes = audited(CRYSTAL_OBJECTIVES, [COMPIMAGE, GRAPH], tmp_path)["note"]
    assert [bool(notes[name, "compimage"]) for name in ("gap", "vol_atom", "dos_ef")] == [True, True, False]
    assert not any(notes.xs("graph", level="facet"))
    assert not audited([GAP.objective], [COMPIMAGE], tmp_path, source="steel")["note"].any()


@pytest.mark.parametrize(
    ("twins", "n_twins"),
    [({}, 0), ({"m0": "x", "m2": "x", "m5": "y", "m3": "y"}, 1), ({"m3": "x", "m4": "x"}, 0)],
)
def test_twins_and_formulas_across_parts_are_counted(twins, n_twins, tmp_path):
    split = pd.DataFrame(
        {"mat_id": [f"m{number}" for number in range(5)], "part": ["train", "valid", "test", "test", "test"]}
    )
    # m5 has no part: it is in no cell.
    formulas = Formulas(pd.Index([f"m{number}" for number in range(5, -1, -1)]), np.array([2, 2, 1, 0, 1, 0]))
    found = audit_parts(split, formulas, twins)
    assert found == {
        "n_train": 1,
        "n_valid": 1,
        "n_test": 3,
        "twins_across": n_twins,
        "formulas_across": 2,
        "n_formulas_test": 3,
    }
    rows = [{"source": "crystals", "split": "random", "repeat": 0, **found}]
    write_table(tmp_path / "audit_parts.parquet", rows, AUDIT_PARTS)
