"""The contract of engines: the built-in ones keep it, and each planted fault is found."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import GRAPH
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.plugins import Registry
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines import contract, creation, registry
from polyfacet.training.engines.base import Engine, ProbabilisticEngine, Resources, Settings
from polyfacet.training.engines.contract import BrokenContractError, check_engine
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.registry import ENGINES

QUICK = {"mcvn": {"max_epochs": 2}, "classical": {"model": "tree"}}
LOOKED_AT = (GRAPH,)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return synthetic_cells(60)


@pytest.mark.parametrize("name", [name for name in ENGINES.all() if name != "automm"])
def test_built_in_engines_keep_the_contract(name: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    """That of AutoGluon takes longer: see the integration tests."""
    facets = () if ENGINES.get(name).is_baseline else LOOKED_AT
    check_engine(name, QUICK.get(name, {}), rows, facets, (STRENGTH, PHASE), tmp_path)


@pytest.mark.parametrize("name", list(ENGINES.all()))
def test_what_is_not_fitted_neither_predicts_nor_is_saved(name, rows, tmp_path) -> None:
    engine = creation.create(name, {}, Resources(seed=1))
    with pytest.raises(RuntimeError, match="comes before predict"):
        engine.predict(rows)
    with pytest.raises(RuntimeError, match="comes before predict"):
        engine.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


class Nearest(ProbabilisticEngine):
    """The answer of the nearest training row: a sound engine, of which faulty ones are made."""

    _known: np.ndarray
    _answers: np.ndarray

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        self._known = np.stack(train["graph"])
        self._answers = train[objective.column].to_numpy()

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        distances = np.linalg.norm(np.stack(frame["graph"])[:, None] - self._known, axis=2)
        return self._answers[distances.argmin(axis=1)]

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        names = np.array(self.objective.classes, dtype=object)
        return (self.answer(frame)[:, None] == names).astype(float)

    def write_model(self, folder: Path) -> None:
        content = {"known": self._known.tolist(), "answers": self._answers.tolist()}
        (folder / "nearest.json").write_text(json.dumps(content))

    def read_model(self, folder: Path) -> None:
        content = json.loads((folder / "nearest.json").read_text())
        self._known = np.array(content["known"])
        self._answers = np.array(content["answers"], dtype=object)


class OwnSettings(Settings):
    """Settings of the made-up engines."""

    k: int = 1


def declare(monkeypatch: pytest.MonkeyPatch, engine: type[Engine], **changes: object) -> None:
    """Make the registry of engines hold one made-up engine, ``nearest``."""
    fields = {"looks_at": lambda facet: facet == GRAPH, "cost": Cost(mb=1), "probabilities": True}
    declared = EngineDeclaration("nearest", OwnSettings, engine, **{**fields, **changes})
    made_up = Registry("engine", EngineDeclaration, (declared,))
    for module in (contract, creation, registry):
        monkeypatch.setattr(module, "ENGINES", made_up)


def test_a_sound_engine_passes(rows, tmp_path, monkeypatch) -> None:
    declare(monkeypatch, Nearest)
    check_engine("nearest", {"k": 1}, rows, LOOKED_AT, (STRENGTH, PHASE), tmp_path)


class Peeking(Nearest):
    def answer(self, frame):
        known = self._objective is not None and self.objective.column in frame
        return frame[self.objective.column].to_numpy() if known else super().answer(frame)


class Neighbourly(Nearest):
    def answer(self, frame):
        return np.roll(super().answer(frame), 1)


class Forgetful(Nearest):
    def read_model(self, folder):
        super().read_model(folder)
        self._answers = self._answers[::-1]


class Unseeded(Nearest):
    made = 0

    def learn(self, train, valid, objective):
        super().learn(train, valid, objective)
        Unseeded.made += 1
        self._answers = np.roll(self._answers, Unseeded.made)


class Meddling(Nearest):
    def answer(self, frame):
        frame["graph"] = frame["graph"] * 2
        return super().answer(frame)


class Infinite(Nearest):
    def answer(self, frame):
        return super().answer(frame) * (np.inf if not self.objective.classes else 1)


class Inventive(Nearest):
    def answer(self, frame):
        return np.full(len(frame), "liquid" if self.objective.classes else 0.0, dtype=object)


class Uncertain(Nearest):
    def predict_probabilities(self, frame):
        return super().predict_probabilities(frame) / 2


class Overconfident(Nearest):
    def predict_probabilities(self, frame):
        return 2 * super().predict_probabilities(frame) - 1 / len(self.objective.classes)


def softened(probabilities, share):
    return (1 - share) * probabilities + share / probabilities.shape[1]


class Whimsical(Nearest):
    asked = 0

    def predict_probabilities(self, frame):
        Whimsical.asked += 1
        return softened(super().predict_probabilities(frame), 0.5 / Whimsical.asked)


class Humbled(Nearest):
    _loaded = False

    def read_model(self, folder):
        super().read_model(folder)
        self._loaded = True

    def predict_probabilities(self, frame):
        return softened(super().predict_probabilities(frame), 0.5 if self._loaded else 0.0)


class Undecided(Nearest):
    def predict_probabilities(self, frame):
        return np.roll(super().predict_probabilities(frame), 1, axis=1)


class Undescribed(Nearest):
    def describe(self):
        return {}


class Unprintable(Nearest):
    def describe(self):
        return {"k": np.int64(1)}


class SecretlyChoosing(Nearest):
    def learn(self, train, valid, objective):
        super().learn(pd.concat([train, valid]), valid, objective)


class Eager(Nearest):
    _known, _answers = np.zeros((1, 5)), np.zeros(1)

    def predict(self, frame):
        return self.answer(frame)


@pytest.mark.parametrize(
    ("engine", "fault"),
    [
        (Peeking, "depend on the true answer"),
        (Neighbourly, "depends on the rows beside it"),
        (Forgetful, "a loaded model predicts otherwise"),
        (Unseeded, "the same seed predicts otherwise"),
        (Meddling, "changes the rows"),
        (Infinite, "not finite"),
        (Inventive, "not among the classes"),
        (Uncertain, "do not add up to 1"),
        (Overconfident, "not between 0 and 1"),
        (Whimsical, "probabilities depend on the rows beside, on their order or on chance"),
        (Humbled, "a loaded model gives other probabilities"),
        (Undecided, "another class than the likeliest"),
        (Undescribed, "describe.. leaves out k"),
        (Unprintable, "not made of what JSON has"),
        (SecretlyChoosing, "declares no use of validation rows"),
        (Eager, "predicts before it is fitted"),
    ],
)
def test_a_planted_fault_is_found(engine, fault, rows, tmp_path, monkeypatch) -> None:
    declare(monkeypatch, engine)
    with pytest.raises(BrokenContractError, match=fault):
        check_engine("nearest", {"k": 1}, rows, LOOKED_AT, (STRENGTH, PHASE), tmp_path)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"probabilities": False}, "probabilities"),
        ({"foundation": True}, "has no pretrain"),
        ({"is_baseline": True}, "does not look at these facets"),
        ({"looks_at": lambda facet: False}, "does not look at these facets"),
    ],
)
def test_a_wrong_declaration_is_found(changes, fault, rows, tmp_path, monkeypatch) -> None:
    declare(monkeypatch, Nearest, **changes)
    with pytest.raises(BrokenContractError, match=fault):
        check_engine("nearest", {}, rows, LOOKED_AT, (STRENGTH,), tmp_path)


class Founded(Nearest):
    @classmethod
    def pretrain(
        cls, settings, rows: pd.DataFrame, facets: Sequence[Facet], folder: Path, resources: Resources
    ):
        assert STRENGTH.column not in rows
        np.save(folder / "mean.npy", np.stack(rows["graph"]).mean(axis=0))

    def learn(self, train, valid, objective):
        assert (self.resources.foundation / "mean.npy").is_file()
        super().learn(train, valid, objective)


class Unfounded(Founded):
    @classmethod
    def pretrain(cls, *args: object):
        pass


def test_a_foundation_is_made_before_cells_and_must_not_be_empty(rows, tmp_path, monkeypatch) -> None:
    declare(monkeypatch, Founded, foundation=True)
    check_engine("nearest", {}, rows, LOOKED_AT, (STRENGTH,), tmp_path)
    declare(monkeypatch, Unfounded, foundation=True)
    (tmp_path / "other").mkdir()
    with pytest.raises(BrokenContractError, match="leaves its folder empty"):
        check_engine("nearest", {}, rows, LOOKED_AT, (STRENGTH,), tmp_path / "other")
