"""Dummy predictors, the registry of engines, and a cell trained by a dummy from table to card."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of

from polyfacet.facets.registry import COMPIMAGE, IMAGE, TEXT
from polyfacet.materials import crystal_objectives
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.training.cells import PREDICTIONS, train, usable_rows
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.engines.dummy.engine import Dummy
from polyfacet.training.engines.dummy.settings import DummySettings

N = 20
GAP = crystal_objectives.GAP.objective
VOLUME = crystal_objectives.VOL_ATOM.objective
PHASE = Objective("phase", "Phase", classes=("fcc", "bcc", "hcp"))


@pytest.fixture
def rows() -> pd.DataFrame:
    """Materials of ten formulas, two of each; the last four are the test part; two have no picture."""
    return pd.DataFrame(
        {
            "mat_id": [f"m{i:02d}" for i in range(N)],
            "formula": [f"F{i // 2}" for i in range(N)],
            "gap": [float(i**2) for i in range(N)],
            "vol_atom": [10.0 + i for i in range(N)],
            "phase": [("hcp", "bcc", "fcc")[i % 3] for i in range(N)],
            "facets": [["text"] if i in (3, 17) else ["text", "image"] for i in range(N)],
            "group": [f"m{i:02d}" for i in range(N)],
            "part": ["train"] * (N - 4) + ["test"] * 4,
        }
    )


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_dummy_answers_the_statistic_of_the_training_rows(
    statistic: str, rows: pd.DataFrame, tmp_path: Path
) -> None:
    engine = create("dummy", {"statistic": statistic}, Resources(seed=0))
    engine.fit(rows[:5], rows[5:7], (), GAP)
    engine.save(tmp_path / "model")
    expected = {"mean": 13.0, "median": 9.0}[statistic]
    np.testing.assert_array_equal(engine.predict(rows), np.full(N, expected))
    assert (tmp_path / "model").is_dir()


def test_the_majority_is_the_most_frequent_class_and_the_first_of_equals(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    for n, expected in ((4, "hcp"), (6, "fcc")):
        engine = create("dummy", {}, Resources(seed=0))
        engine.fit(rows[:n], rows[:0], (), PHASE)
        assert engine.predict(rows).tolist() == [expected] * N


def test_prediction_needs_training(rows: pd.DataFrame) -> None:
    with pytest.raises(RuntimeError, match="fit"):
        Dummy(DummySettings(statistic="mean"), Resources(seed=0)).predict(rows)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("dumy", {}, "no engine 'dumy'"),
        ("dummy", {"statistic": "mode"}, "statistic"),
        ("dummy", {"statistic": "mean", "epochs": 3}, "epochs"),
    ],
)
def test_unknown_engines_and_invalid_settings_raise_user_error(
    name: str, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        create(name, settings, Resources(seed=0))


def test_only_materials_with_all_facets_are_used(rows: pd.DataFrame) -> None:
    assert len(usable_rows(rows, cell_of((TEXT,), GAP))) == N
    assert set(rows["mat_id"]) - set(usable_rows(rows, cell_of((TEXT, IMAGE), GAP))["mat_id"]) == {
        "m03",
        "m17",
    }


def test_a_cell_from_table_to_card(rows: pd.DataFrame, tmp_path: Path) -> None:
    cell = cell_of((IMAGE,), VOLUME, seed=7)
    dummy = Dummy(DummySettings(statistic="median"), Resources(seed=7))
    predictions, card = train(cell, dummy, rows, tmp_path / "model")
    assert set(rows["mat_id"]) - set(predictions["mat_id"]) == {"m03", "m17"}
    assert card.status == "ok"
    assert card.contains_answer
    counts = {
        "n_train": 15,
        "n_valid": 0,
        "n_test": 3,
        "n_missing": 2,
        "n_without_part": 0,
        "n_incomplete": 0,
    }
    assert card.counts.model_dump() == {**counts, "n_without_part": 0, "n_incomplete": 0}
    test = predictions[predictions["part"] == "test"]
    np.testing.assert_array_equal(test["y_true"], rows.loc[[16, 18, 19], "vol_atom"])
    # The median of 10, 11, 12, 14 to 25: all training rows but the one without a picture.
    assert set(predictions["y_pred"]) == {18.0}
    assert predictions["predicted_class"].isna().all()


def test_a_cell_of_classes_from_table_to_card(rows: pd.DataFrame, tmp_path: Path) -> None:
    cell = cell_of((TEXT,), PHASE, seed=7)
    dummy = Dummy(DummySettings(), Resources(seed=7))
    predictions, card = train(cell, dummy, rows, model=tmp_path / "model")
    assert (card.objective, card.classes, card.contains_answer) == ("phase", ["fcc", "bcc", "hcp"], False)
    assert (card.source, card.split, card.repeat, card.combination) == ("crystals", "random", 0, "text")
    write_table(tmp_path / "predictions.parquet", predictions, PREDICTIONS)
    read = read_table(tmp_path / "predictions.parquet", PREDICTIONS)
    # Six hcp of sixteen in the training part.
    assert set(read["predicted_class"]) == {"hcp"}
    assert read["true_class"].tolist() == rows["phase"].tolist()
    assert read[["y_true", "y_pred"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("facet", "text", "objective", "contained"),
    [
        (TEXT, "composition", VOLUME, False),
        (TEXT, "cell_composition", VOLUME, False),
        (TEXT, "cif", VOLUME, True),
        (TEXT, "robocrystallographer", VOLUME, True),
        (TEXT, "cif", GAP, False),
        (COMPIMAGE, "cif", VOLUME, False),
    ],
)
def test_a_text_of_the_structure_contains_the_volume(facet, text, objective, contained) -> None:
    cell = cell_of((facet,), objective, seed=0, forms={"text": text})
    assert cell.contains_answer is contained


class Unteachable(Dummy):
    """A dummy that cannot learn from what it is given, or breaks."""

    def __init__(self, error: Exception) -> None:
        super().__init__(DummySettings(statistic="mean"), Resources(seed=0))
        self._error = error

    def fit(self, *args: object) -> None:
        """Fail."""
        raise self._error


@pytest.mark.parametrize("objective", [GAP, PHASE])
def test_data_that_cannot_be_learned_from_make_a_failed_card(
    objective: Objective, rows: pd.DataFrame, tmp_path: Path
) -> None:
    cell = cell_of((TEXT,), objective, seed=0)
    engine = Unteachable(EngineError("material m01: picture is broken"))
    predictions, card = train(cell, engine, rows, model=tmp_path / "model")
    assert card.status == "failed"
    assert "m01" in str(card.reason)
    assert predictions[["y_pred", "predicted_class"]].isna().all(axis=None)
    write_table(tmp_path / "predictions.parquet", predictions, PREDICTIONS)
    assert list((tmp_path / "model").iterdir()) == []


def test_a_defect_is_not_taken_for_bad_data(rows: pd.DataFrame, tmp_path: Path) -> None:
    cell = cell_of((TEXT,), GAP, seed=0)
    with pytest.raises(KeyError):
        train(cell, Unteachable(KeyError("model.timm_image")), rows, model=tmp_path / "model")
