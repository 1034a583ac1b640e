"""AutoGluon as an engine: when a training ends, within which time, and which hyperparameters it tries out."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from polyfacet.facets.registry import facets_of
from polyfacet.materials.crystal_objectives import GAP
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.automm.engine import AutoMM
from polyfacet.training.engines.automm.schedule import FALLEN
from polyfacet.training.engines.automm.settings import AutoMMSettings
from polyfacet.training.engines.base import EngineError, Resources

N, N_TRAIN, N_CHOOSING = 72, 48, 24
BATCH = 8
STEPS = N_TRAIN // BATCH


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    embedding = generator.normal(size=(N, 6)).astype(np.float32)
    gap = 2 * embedding[:, 0] + generator.normal(size=N)
    return pd.DataFrame({"mat_id": [f"m{i:02d}" for i in range(N)], "graph": list(embedding), "gap": gap})


def fitted(frame: pd.DataFrame, **settings: Any) -> AutoMM:
    own = AutoMMSettings(**{"batch_size": BATCH, "learning_rate": 0.01, **settings})
    engine = AutoMM(own, Resources(1), "automm")
    engine.fit(frame[:N_TRAIN], frame[N_TRAIN:], facets_of("graph"), GAP.objective)
    return engine


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the learning rate of every step, as a share of the peak."""
    from polyfacet.training.engines.automm.schedule import Watch

    seen: list[float] = []
    original = Watch.on_train_batch_start

    def on_train_batch_start(self: Watch, trainer: Any, *args: Any) -> None:
        seen.append(trainer.optimizers[0].param_groups[0]["lr"] / 0.01)
        original(self, trainer, *args)

    monkeypatch.setattr(Watch, "on_train_batch_start", on_train_batch_start)
    return seen


def test_the_learning_rate_falls_when_validation_stops_improving(
    frame: pd.DataFrame, rates: list[float], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = fitted(frame, max_epochs=200, patience=3)
    course = engine.course()
    assert course is not None
    assert (course.ended_by, course.cut_off, course.trials) == ("plateau", None, ())
    assert 0 < course.learning_rate_end <= FALLEN
    assert len(rates) == course.epochs * STEPS < 200 * STEPS
    fall = next(i for i, rate in enumerate(rates) if i > 2 * STEPS and rate < 1)
    # A fifth of all epochs, rounded up; before that, the rate has stayed at its peak.
    n_falling = course.epochs - fall // STEPS
    assert fall % STEPS == 1
    assert n_falling == np.ceil((course.epochs - n_falling) / 4)
    assert rates[2 * STEPS : fall] == [1.0] * (fall - 2 * STEPS)
    assert rates[fall:] == sorted(rates[fall:], reverse=True)
    engine.save(tmp_path / "model")
    selection = json.loads((tmp_path / "model" / "selection.json").read_text())
    scores = selection["validations"]
    assert len(scores) == course.epochs
    # Only epochs of the fall are candidates, the best three of them.
    epochs = {int(name.split("=")[1].split("-")[0]) for name in selection["candidates"]}
    falling = range(course.epochs - n_falling, course.epochs)
    assert epochs == set(sorted(falling, key=lambda epoch: scores[epoch])[:3])
    assert min(falling, key=lambda epoch: scores[epoch]) + 1 == course.best_epoch
    # The first epochs after which three were not better.
    plateau = next(i for i in range(len(scores)) if i - int(np.argmin(scores[: i + 1])) == 3)
    assert (fall - 1) // STEPS == plateau + 1
    assert not caplog.records


def test_a_training_that_reaches_its_limit_is_told(
    frame: pd.DataFrame, rates: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    course = fitted(frame, max_epochs=10, patience=50).course()
    assert course is not None
    assert (course.epochs, course.ended_by) == (10, "epochs")
    assert len(rates) == 10 * STEPS
    assert course.learning_rate_end <= FALLEN
    # It falls in the last two of ten epochs.
    assert rates[8 * STEPS] == 1.0 > rates[8 * STEPS + 1]
    reached = (
        "training reached the limit of epochs after 10 epochs, before 50 validations without improvement"
    )
    assert course.cut_off == f"{reached} ended it"
    assert course.cut_off in caplog.text


@pytest.mark.parametrize(
    ("max_epochs", "hyperparameters"),
    [
        (3, {"optim.check_val_every_n_epoch": 2}),
        (2, {"optim.val_check_interval": 0.5}),
        (5, {"optim.max_steps": STEPS + 1}),
    ],
    ids=str,
)
def test_a_training_leaves_a_model_however_rarely_it_validates(
    frame: pd.DataFrame, max_epochs: int, hyperparameters: dict[str, Any]
) -> None:
    engine = fitted(frame, max_epochs=max_epochs, hyperparameters=hyperparameters)
    assert np.isfinite(engine.predict(frame)).all()
    course = engine.course()
    assert course is not None
    assert course.ended_by == "epochs"


def test_autogluons_own_schedule_ends_a_training_at_a_high_learning_rate(frame: pd.DataFrame) -> None:
    course = fitted(frame, max_epochs=200, patience=3, schedule="autogluon").course()
    assert course is not None
    assert course.ended_by == "patience"
    assert course.learning_rate_end > FALLEN
    assert course.cut_off is not None
    assert "of its peak" in course.cut_off
    whole = fitted(frame, max_epochs=3, patience=50, schedule="autogluon").course()
    assert whole is not None
    assert (whole.epochs, whole.ended_by) == (3, "epochs")
    assert whole.learning_rate_end <= FALLEN
    last = "training reached the limit of epochs after 3 epochs, and the last one was the best"
    assert whole.cut_off == (last if whole.best_epoch == 3 else None)


@pytest.mark.parametrize("name", ["optim.lr_schedule", "optim.warmup_steps"])
def test_settings_of_autogluons_schedule_need_it(frame: pd.DataFrame, name: str) -> None:
    value = {"optim.lr_schedule": "linear_decay", "optim.warmup_steps": 0.0}[name]
    with pytest.raises(UserError, match=rf"{name}(.|\n)*schedule: autogluon"):
        fitted(frame, max_epochs=1, hyperparameters={name: value})
    fitted(frame, max_epochs=1, schedule="autogluon", hyperparameters={name: value})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Let 5 s pass with each look at the clock, however long that takes."""
    looks = count(step=5)
    for module in ("schedule", "search", "engine"):
        fake = SimpleNamespace(monotonic=lambda: float(next(looks)))
        monkeypatch.setattr(f"polyfacet.training.engines.automm.{module}.time", fake)
    return looks


@pytest.mark.parametrize("schedule", ["adaptive", "autogluon"])
def test_a_training_ends_within_its_time(frame: pd.DataFrame, schedule: str, clock: Iterator[int]) -> None:
    course = fitted(frame, max_epochs=1000, patience=1000, schedule=schedule, time_limit_s=900).course()
    # An epoch takes 10 to 20 s of this clock, and the choice among checkpoints six times a validation.
    assert 600 < next(clock) < 900
    assert course is not None
    assert 20 < course.epochs < 100
    assert course.ended_by == "time limit"
    assert course.cut_off is not None
    assert "reached the time limit" in course.cut_off
    if schedule == "adaptive":
        assert course.learning_rate_end < 0.5


def test_a_time_limit_within_the_first_epoch_leaves_a_model(frame: pd.DataFrame) -> None:
    many = pd.concat([frame[:N_TRAIN]] * 400, ignore_index=True)
    engine = AutoMM(AutoMMSettings(batch_size=1, max_epochs=2, time_limit_s=1), Resources(1), "automm")
    engine.fit(many, frame[N_TRAIN:], facets_of("graph"), GAP.objective)
    assert np.isfinite(engine.predict(frame)).all()
    course = engine.course()
    assert course is not None
    assert (course.epochs, course.ended_by) == (1, "time limit")


SPACE = {
    "optim.lr": {"low": 1e-4, "high": 1e-1, "log": True},
    "env.batch_size": [4, 8],
    "model.numerical_mlp.hidden_size": {"low": 16, "high": 64},
}


@pytest.mark.parametrize(
    ("hyperparameters", "steps"),
    [
        ({"env.batch_size": 2 * BATCH}, STEPS / 2),
        ({"env.batch_size": BATCH // 2}, 2 * STEPS),
        ({"env": {"batch_size": "4"}}, 2 * STEPS),
        ({"env.batch_size": 12}, N_TRAIN / 12),
        ({"env.batch_size": 4, "env.per_gpu_batch_size": BATCH}, STEPS),
    ],
    ids=str,
)
def test_an_optimizer_step_has_the_rows_of_the_batch_size(
    frame: pd.DataFrame, rates: list[float], hyperparameters: dict[str, Any], steps: float
) -> None:
    engine = fitted(frame, max_epochs=1, hyperparameters=hyperparameters)
    told = engine.describe()["hyperparameters"]
    parts = told["env.batch_size"] // told["env.per_gpu_batch_size"]
    assert len(rates) / max(1, parts) == steps


def test_a_search_keeps_the_model_with_the_best_validation_score(frame: pd.DataFrame, tmp_path: Path) -> None:
    engine, again = (fitted(frame, max_epochs=2, search={"space": SPACE, "trials": 3}) for _ in range(2))
    course = engine.course()
    assert course is not None
    first, *others = course.trials
    assert (first.values, len(others)) == ({}, 2)
    for trial in others:
        assert set(trial.values) == set(SPACE)
        assert 1e-4 < trial.values["optim.lr"] < 1e-1
        assert trial.values["env.batch_size"] in (4, 8)
        assert trial.values["model.numerical_mlp.hidden_size"] in range(16, 65)
    best = min(course.trials, key=lambda trial: trial.score or np.inf)
    engine.save(tmp_path / "model")
    selection = json.loads((tmp_path / "model" / "selection.json").read_text())
    assert selection["score"] == best.score
    told = engine.describe()["hyperparameters"]
    assert {name: told[name] for name in best.values} == best.values
    valid = frame[N_TRAIN:]
    assert np.abs(engine.predict(valid) - valid["gap"]).mean() == pytest.approx(best.score, rel=1e-4)
    # The same seed draws the same trials.
    repeated = again.course()
    assert repeated is not None
    assert [trial.values for trial in repeated.trials] == [trial.values for trial in course.trials]
    np.testing.assert_array_equal(again.predict(frame), engine.predict(frame))


def test_a_search_survives_trials_that_fail(frame: pd.DataFrame) -> None:
    search = {"space": {"optim.lr": [1e30]}, "trials": 2}
    course = fitted(frame, max_epochs=1, search=search).course()
    assert course is not None
    assert [trial.score is None for trial in course.trials] == [False, True]
    assert "diverged" in str(course.trials[1].reason)
    with pytest.raises(EngineError, match="diverged"):
        fitted(frame, max_epochs=1, learning_rate=1e30, search=search)


def test_a_search_ends_when_its_time_is_over(frame: pd.DataFrame) -> None:
    search = {"space": {"optim.lr": [1e-3, 1e-2]}, "trials": 3, "seconds": 0.1}
    course = fitted(frame, max_epochs=1, search=search).course()
    assert course is not None
    assert len(course.trials) == 1


def test_a_search_leaves_out_what_a_cell_does_not_have(frame: pd.DataFrame) -> None:
    search = {"space": {"model.hf_text.max_text_len": [8, 16]}, "trials": 3}
    course = fitted(frame, max_epochs=1, search=search).course()
    assert course is not None
    assert not course.trials


def test_candidates_are_checked_before_the_first_trial(frame: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"optim.lr is 'high', not a number above 0"):
        fitted(frame, max_epochs=1, search={"space": {"optim.lr": [1e-3, "high"]}})
    with pytest.raises(UserError, match="AutoGluon has no setting optim.rate"):
        fitted(frame, max_epochs=1, search={"space": {"optim.rate": [1e-3]}})
