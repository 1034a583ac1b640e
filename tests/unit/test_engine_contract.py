"""The contract of engines: sound ones of a plug-in keep it, and each planted fault is found."""

import tempfile

import numpy as np
import pandas as pd
import pytest
from nearest_engine import KEPT_IN, Founded, Nearest, OwnSettings
from project import PROJECT
from quick_settings import QUICK
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

from polyfacet.facets.registry import GRAPH
from polyfacet.runtime import plugins
from polyfacet.runtime.plugins import Registry, use_plugins
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines import contract, creation, registry
from polyfacet.training.engines.base import Engine, Resources, ValidationUse
from polyfacet.training.engines.broken_contract import BrokenContractError
from polyfacet.training.engines.contract import check_engine
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.registry import ENGINES

LOOKED_AT = (GRAPH,)
PLUGIN = PROJECT / "tests" / "nearest_engine.py"


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return synthetic_cells(60)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=pytest.mark.skipif(bool(package and package.fault()), reason=f"{package} is missing")
        )
        for name, declared in ENGINES.all().items()
        for package in [declared.package]
    ],
)
def test_what_is_not_fitted_neither_predicts_nor_is_saved(name, rows, tmp_path) -> None:
    engine = creation.create(name, QUICK.get(name, {}), Resources(seed=1))
    with pytest.raises(RuntimeError, match="before predict"):
        engine.predict(rows)
    with pytest.raises(RuntimeError, match="before predict"):
        engine.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def declare(monkeypatch: pytest.MonkeyPatch, engine: type[Engine], **changes: object) -> None:
    """Make the registry of engines hold one made-up engine, ``nearest``."""
    fields = {
        "looks_at": lambda facet: facet == GRAPH,
        "cost": Cost(mb=1),
        "classes": True,
        "probabilities": True,
    }
    declared = EngineDeclaration("nearest", OwnSettings, engine, **{**fields, **changes})
    made_up = Registry("engine", EngineDeclaration, (declared,))
    for module in (contract, creation, registry):
        monkeypatch.setattr(module, "ENGINES", made_up)


@pytest.fixture
def of_a_plug_in(monkeypatch) -> None:
    """Load the made-up engines, and no other plug-in, as a separate process has to do it."""
    monkeypatch.setattr(plugins, "_of_run", {})
    use_plugins([str(PLUGIN)])


@pytest.mark.usefixtures("of_a_plug_in")
@pytest.mark.parametrize("name", ["nearest", "founded", "choosing"])
def test_a_sound_engine_passes(name, rows, tmp_path) -> None:
    check_engine(name, {"k": 1}, rows, LOOKED_AT, (STRENGTH, PHASE), tmp_path)


@pytest.mark.usefixtures("of_a_plug_in")
@pytest.mark.parametrize("given", [{"lambda": 2.0}, {"reach": 2.0}], ids=["by alias", "by name"])
def test_settings_may_be_of_any_type_that_json_can_hold_and_have_an_alias(given, rows, tmp_path) -> None:
    settings = {"file": "elsewhere", "use": "few", "among": ["x"], **given}
    completed = registry.complete_settings("nearest", settings)
    assert completed == {"k": 1, "lambda": 2.0, "file": "elsewhere", "use": "few", "among": ["x"]}
    engine = creation.create("nearest", completed, Resources(seed=1))
    assert (engine.settings.reach, engine.describe()) == (2.0, completed)
    check_engine("nearest", settings, rows, LOOKED_AT, (STRENGTH,), tmp_path)


@pytest.mark.usefixtures("of_a_plug_in")
def test_a_model_in_memory_is_no_saved_model(rows, tmp_path) -> None:
    with pytest.raises(BrokenContractError, match=r"separate process \(KeyError: 'rows'\)"):
        check_engine("in_memory", {}, rows, LOOKED_AT, (STRENGTH,), tmp_path)


@pytest.mark.usefixtures("of_a_plug_in")
@pytest.mark.parametrize(
    ("kept_in", "fault"),
    [
        ("kept.json", "separate process .FileNotFoundError"),
        ("{temporary}/kept.json", "separate process .FileNotFoundError"),
        ("../elsewhere/kept.json", "separate process .FileNotFoundError"),
        ("<elsewhere>/kept.json", "a saved model needs .*kept.json, outside its folder"),
    ],
)
def test_a_model_in_a_file_elsewhere_is_no_saved_model(kept_in, fault, rows, tmp_path, monkeypatch) -> None:
    elsewhere, temporary, folder = (tmp_path / name for name in ("elsewhere", "temporary", "checked"))
    for each in (elsewhere, temporary, folder):
        each.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv(KEPT_IN, kept_in.replace("<elsewhere>", str(elsewhere)))
    with pytest.raises(BrokenContractError, match=fault):
        check_engine("in_a_file", {}, rows, LOOKED_AT, (STRENGTH,), folder)


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


class OfTheFrame(Nearest):
    """Adds what follows from the frame as a whole."""

    def of(self, frame):
        raise NotImplementedError

    def answer(self, frame):
        return super().answer(frame) + (0 if self.objective.classes else self.of(frame))


class Averaging(OfTheFrame):
    def of(self, frame):
        return np.stack(frame["graph"])[:, 0].mean()


class Counting(OfTheFrame):
    def of(self, frame):
        return len(frame) * 0.01


class Indexing(OfTheFrame):
    def of(self, frame):
        return frame.index.to_numpy() * 0.1


class Ranking(OfTheFrame):
    def of(self, frame):
        return np.stack(frame["graph"])[:, 0].argsort().argsort()


class InPlace(Nearest):
    def answer(self, frame):
        answers = super().answer(frame)
        for values in frame["graph"]:
            values[0] += 1e-3
        return answers


class TrainingOnChoice(Nearest):
    """Trains on the rows that it says it chooses by."""

    validation_use = ValidationUse.CHOICE

    def learn(self, train, valid, objective):
        super().learn(pd.concat([train, valid]), valid, objective)


class MeanOfAll(TrainingOnChoice):
    def learn(self, train, valid, objective):
        super().learn(train, valid, objective)
        if not objective.classes:
            self._answers = np.full(len(self._answers), self._answers.mean())


class MedianOfAll(TrainingOnChoice):
    def learn(self, train, valid, objective):
        super().learn(train, valid, objective)
        if not objective.classes:
            self._answers = np.full(len(self._answers), np.median(self._answers))


class LineOfAll(TrainingOnChoice):
    def learn(self, train, valid, objective):
        super().learn(train, valid, objective)
        if not objective.classes:
            inputs = np.hstack([self._known, np.ones((len(self._known), 1))])
            self._answers = inputs @ np.linalg.lstsq(inputs, self._answers)[0]


class Idle(Nearest):
    """Says that it trains on validation rows, and does not."""

    validation_use = ValidationUse.TRAINING


class Eager(Nearest):
    _known, _answers = np.zeros((1, 5)), np.zeros(1)

    def predict(self, frame):
        return self.answer(frame)


@pytest.mark.parametrize(
    ("engine", "fault"),
    [
        (Peeking, "depend on the true answer"),
        (Neighbourly, "depends on the other rows"),
        (Forgetful, "a loaded model predicts differently"),
        (Unseeded, "the same seed predicts differently"),
        (Meddling, "changes the rows"),
        (Infinite, "not finite"),
        (Inventive, "not classes of the objective"),
        (Uncertain, "do not add up to 1"),
        (Overconfident, "not all between 0 and 1"),
        (Whimsical, "probabilities depend on the other rows, on their order or on chance"),
        (Humbled, "a loaded model returns different probabilities"),
        (Undecided, "does not predict the most probable class"),
        (Undescribed, "describe.. leaves out k"),
        (Unprintable, "cannot be written as JSON"),
        (Averaging, "other rows, their number or index"),
        (Counting, "other rows, their number or index"),
        (Indexing, "other rows"),
        (Ranking, "other rows, their number or index"),
        (InPlace, "changes the rows"),
        (TrainingOnChoice, "only selects by validation rows, but it trains on them"),
        (MeanOfAll, "only selects by validation rows, but it trains on them"),
        (MedianOfAll, "only selects by validation rows, but it trains on them"),
        (LineOfAll, "only selects by validation rows, but it trains on them"),
        (Idle, "trains on validation rows, but their answers change nothing"),
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
        ({"is_baseline": True}, "does not use these facets"),
        ({"looks_at": lambda facet: False}, "does not use these facets"),
    ],
)
def test_a_wrong_declaration_is_found(changes, fault, rows, tmp_path, monkeypatch) -> None:
    declare(monkeypatch, Nearest, **changes)
    with pytest.raises(BrokenContractError, match=fault):
        check_engine("nearest", {}, rows, LOOKED_AT, (STRENGTH,), tmp_path)


class Unfounded(Founded):
    @classmethod
    def pretrain(cls, *args: object):
        pass


class RandomlyFounded(Founded):
    @classmethod
    def pretrain(cls, settings, rows, facets, objectives, folder, resources):
        np.save(folder / "mean.npy", np.random.default_rng().normal())

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: object) -> None:
        shift = float(np.load(self.resources.foundation / "mean.npy"))
        super().learn(train.assign(strength=train["strength"] + shift), valid, objective)


def test_a_foundation_must_not_depend_on_chance(rows, tmp_path, monkeypatch) -> None:
    declare(monkeypatch, RandomlyFounded, foundation=True)
    with pytest.raises(BrokenContractError, match="the same seed makes another foundation"):
        check_engine("nearest", {}, rows, LOOKED_AT, (STRENGTH,), tmp_path)


def test_a_foundation_must_not_be_empty(rows, tmp_path, monkeypatch) -> None:
    declare(monkeypatch, Unfounded, foundation=True)
    with pytest.raises(BrokenContractError, match="leaves its folder empty"):
        check_engine("nearest", {}, rows, LOOKED_AT, (STRENGTH,), tmp_path)
