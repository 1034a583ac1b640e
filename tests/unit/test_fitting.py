"""Predictions of a cell: those of validation rows come from an engine that was not fitted on them."""

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of
from synthetic_cells import STRENGTH, synthetic_cells

from polyfacet.facets.registry import GRAPH
from polyfacet.training.cells import train
from polyfacet.training.engines.base import Engine, EngineError, Resources, Settings, ValidationUse

N_TRAIN, N_VALID, N_TEST = 40, 10, 10
N = N_TRAIN + N_VALID + N_TEST


@pytest.fixture
def rows() -> pd.DataFrame:
    parts = ["train"] * N_TRAIN + ["valid"] * N_VALID + ["test"] * N_TEST
    groups = [f"g{i // 2}" for i in range(N)]
    frame = synthetic_cells(N).assign(facets=[["graph"]] * N, part=parts, group=groups)
    # A model that is fitted on the validation rows is far off.
    return frame.assign(strength=frame["strength"] + 1e6 * (frame["part"] == "valid"))


class Recording(Engine):
    """Predicts the mean of the rows that it is trained on, and remembers all fits."""

    validation_use = ValidationUse.TRAINING
    fits: list[tuple[pd.DataFrame, pd.DataFrame]] = []  # noqa: RUF012 - shared with the second engine

    def learn(self, train, valid, objective):
        self.fits.append((train, valid))
        self.mean = pd.concat([train, valid])[objective.column].mean()

    def answer(self, frame):
        return np.full(len(frame), self.mean)

    def write_model(self, folder):
        (folder / "mean.txt").write_text(str(self.mean))

    def read_model(self, folder):
        pass


class Both(Recording):
    validation_use = ValidationUse.TRAINING | ValidationUse.CHOICE


class Selecting(Recording):
    validation_use = ValidationUse.CHOICE


def trained(kind, rows, folder):
    kind.fits.clear()
    engine = kind(Settings(), Resources(1))
    predictions, card = train(cell_of((GRAPH,), STRENGTH), engine, rows, folder / "model")
    assert predictions["part"].tolist() == rows["part"].tolist()
    return predictions.set_index("part")["y_pred"], card


def test_validation_rows_are_predicted_without_them(rows, tmp_path):
    predicted, card = trained(Recording, rows, tmp_path)
    assert card.counts.n_train == N_TRAIN + N_VALID
    of_both, of_train = (rows["strength"][:n].mean() for n in (N_TRAIN + N_VALID, N_TRAIN))
    np.testing.assert_allclose(predicted[["train", "test"]], of_both)
    np.testing.assert_allclose(predicted["valid"], of_train)
    assert (tmp_path / "model" / "mean.txt").read_text() == str(of_both)


def test_an_engine_of_both_uses_selects_by_groups_of_the_training_part(rows, tmp_path):
    predicted, _ = trained(Both, rows, tmp_path)
    (_, _), (learned, selecting) = Both.fits
    assert predicted["valid"].max() < 1e5
    training_part = rows[rows["part"] == "train"]
    assert sorted([*learned["mat_id"], *selecting["mat_id"]]) == sorted(training_part["mat_id"])
    assert len(selecting) == round(N_TRAIN * N_VALID / (N_TRAIN + N_VALID))
    group = rows.set_index("mat_id")["group"]
    assert not set(group[learned["mat_id"]]) & set(group[selecting["mat_id"]])
    assert "group" not in learned


def test_an_engine_that_only_selects_is_fitted_once(rows, tmp_path):
    trained(Selecting, rows, tmp_path)
    assert len(Selecting.fits) == 1


def test_a_split_without_validation_rows_needs_one_fit(rows, tmp_path):
    _, card = trained(Recording, rows[rows["part"] != "valid"], tmp_path)
    assert card.status == "ok"
    assert len(Recording.fits) == 1


def test_one_group_has_no_rows_to_select_by(rows, tmp_path):
    _, card = trained(Both, rows.assign(group="one"), tmp_path)
    assert card.status == "failed"
    assert "no rows to spare for selection" in str(card.reason)


def test_a_failure_on_the_training_part_alone_fails_the_cell(rows, tmp_path):
    class Demanding(Recording):
        def learn(self, train, valid, objective):
            if valid.empty:
                raise EngineError("too few rows")
            super().learn(train, valid, objective)

    predicted, card = trained(Demanding, rows, tmp_path)
    assert (card.status, card.reason) == ("failed", "too few rows")
    assert predicted.isna().all()
