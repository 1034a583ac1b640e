"""The contract of engines as a check: what every cell relies on, tried on rows that you give.

Run it on an engine of your own before you trust its numbers::

    use_plugins(["plugins/my_engine.py"])
    check_engine("my_engine", {}, rows, facets, objectives, folder)
"""

import copy
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.registry import Facet, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.training.cells import what_engines_see
from polyfacet.training.engines.base import (
    Engine,
    EngineError,
    ProbabilisticEngine,
    Resources,
    ValidationUse,
)
from polyfacet.training.engines.creation import create, engine_class, load
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.own_process import Answer, predict_alone
from polyfacet.training.engines.probabilities import (
    EQUAL_WITHIN,
    check_probabilities,
    class_probabilities,
)
from polyfacet.training.engines.registry import ENGINES

# Shares of the rows that are trained on and that validate; the rest is only predicted.
TRAINED_ON, VALIDATED_BY = 0.6, 0.2
# Rows that are predicted together, beside all of them; single ones among them.
SUBSETS = (slice(0, 1), slice(-1, None), slice(1, None, 3))
# Validation rows of absurd answers: how often each is repeated, so that they outnumber the training rows; how
# far off they are, in standard deviations; and by what share of that predictions move if they are learned.
COPIES, OFF_BY, FOLLOWED = 10, 100.0, 0.05
# Times of files are those of a clock that ticks every few milliseconds.
TICK_S = 0.02


class BrokenContractError(AssertionError):
    """An engine does not do what cells rely on; says what, and for which objective."""


def check_engine(
    name: str,
    settings: Mapping[str, Any],
    rows: pd.DataFrame,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
    folder: Path,
    resources: Resources | None = None,
) -> None:
    """Check an engine against the contract of `polyfacet.training.engines.base.Engine`.

    Two things are not found: validation rows that are trained on for classes alone, by an engine that says it
    only chooses by them (see `_Trial._check_validation_rows`); and files outside of the model's folder that
    a compiled library reads (see `polyfacet.training.engines.own_process`).

    Parameters
    ----------
    name
        Name by which it is declared.
    settings
        Settings that make it quick.
    rows
        Rows of the dataset table with the facets and the objectives, at least 20, in no order.
    facets
        A combination that it looks at; empty for a baseline.
    objectives
        What to learn: numbers, and classes if it declares them.
    folder
        Existing folder to write in.
    resources
        Encoders and the like, for engines that need them.

    Raises
    ------
    BrokenContractError
        If it breaks the contract.
    """
    declared = ENGINES.get(name)
    given = resources or Resources(seed=1)
    _check_declaration(declared, facets)
    began, trials = time.time(), []
    time.sleep(TICK_S)
    for objective in objectives:
        if declared.classes or not objective.classes:
            trial = _Trial(declared, settings, rows, facets, objective, folder / objective.column, given)
            trial.check()
            trials.append(trial)
    answers = predict_alone(
        [trial.moved for trial in trials], [trial.seen() for trial in trials], since=began
    )
    for trial, answer in zip(trials, answers, strict=True):
        trial.check_alone(answer)


def _check_declaration(declared: EngineDeclaration, facets: Sequence[Facet]) -> None:
    found = engine_class(declared.name)
    _demand(issubclass(found, Engine), declared.name, "its class is not a subclass of Engine")
    _demand(
        issubclass(found, ProbabilisticEngine) == declared.probabilities,
        declared.name,
        "it declares `probabilities` and is no ProbabilisticEngine, or the other way round",
    )
    _demand(
        any("pretrain" in vars(each) for each in found.__mro__ if each is not Engine) == declared.foundation,
        declared.name,
        "it declares a `foundation` and has no pretrain(), or the other way round",
    )
    _demand(
        all(map(declared.looks_at, facets)) and declared.is_baseline == (not facets),
        declared.name,
        "it declares that it does not look at these facets",
    )


def _demand(holds: bool, who: str, what: str) -> None:
    if not holds:
        raise BrokenContractError(f"engine {who!r}: {what}.")


class _Trial:
    """An engine on one objective."""

    def __init__(
        self,
        declared: EngineDeclaration,
        settings: Mapping[str, Any],
        rows: pd.DataFrame,
        facets: Sequence[Facet],
        objective: Objective,
        folder: Path,
        resources: Resources,
    ) -> None:
        self.declared, self.settings = declared, settings
        self.facets, self.objective, self.folder = tuple(facets), objective, folder
        rows = rows.reset_index(drop=True)
        n_train, n_valid = round(TRAINED_ON * len(rows)), round(VALIDATED_BY * len(rows))
        self.train, self.valid = rows[:n_train], rows[n_train : n_train + n_valid]
        self.rows = rows
        folder.mkdir()
        self.moved = folder / "moved"
        self.predicted = np.empty(0)
        self.resources = resources
        if declared.foundation:
            self.resources = self._with_foundation(resources)

    def check(self) -> None:
        """Check every clause."""
        engine = self._new()
        self._check_not_fitted(engine)
        # pandas copies no arrays that are values.
        before = self.rows.map(copy.deepcopy).astype(self.rows.dtypes)
        engine.fit(self.train, self.valid, self.facets, self.objective)
        self.predicted = predicted = engine.predict(self.rows)
        self._demand(self.rows.equals(before), "it changes the rows that it is given")
        self._check_kind(predicted)
        self._check_blindness(engine, predicted)
        self._check_probabilities(engine, predicted)
        self._check_description(engine)
        self._check_saving(engine, predicted)
        again = self._new()
        again.fit(self.train, self.valid, self.facets, self.objective)
        self._demand(self._equal(again.predict(self.rows), predicted), "the same seed predicts otherwise")
        self._check_validation_use(engine, predicted)
        self._check_validation_rows(engine, predicted)

    def seen(self) -> pd.DataFrame:
        """Return the rows as cells show them, which may be written and read elsewhere."""
        rows = what_engines_see(self.rows, self.facets)
        pictures = {
            column: rows[column].map(lambda path: str(Path(path).resolve()), na_action="ignore")
            for facet in self.facets
            if facet.kind == "image"
            for column in shown_columns(facet, rows.columns)
        }
        return rows.assign(**pictures)

    def check_alone(self, answer: Answer) -> None:
        """Check what a process that has nothing but the saved model predicts."""
        foreign = ", ".join(answer.foreign)
        self._demand(not foreign, f"a saved model needs {foreign}, outside of its folder")
        if answer.predicted is None:
            self._demand(False, f"a saved model does not predict in a process of its own ({answer.error})")
            return
        self._demand(
            self._equal(np.array(answer.predicted, dtype=self.predicted.dtype), self.predicted),
            "a saved model predicts otherwise in a process of its own",
        )

    def _new(self) -> Engine:
        return create(self.declared.name, self.settings, self.resources)

    def _with_foundation(self, resources: Resources) -> Resources:
        home = self.folder / "foundation"
        home.mkdir()
        settings = self.declared.settings(**self.settings)
        rows = what_engines_see(self.train, self.facets)
        engine_class(self.declared.name).pretrain(settings, rows, self.facets, home, resources)
        self._demand(any(home.rglob("*")), "pretrain() leaves its folder empty")
        return Resources(**{**vars(resources), "foundation": home})

    def _check_not_fitted(self, engine: Engine) -> None:
        try:
            engine.predict(self.rows)
        except RuntimeError:
            return
        self._demand(False, "it predicts before it is fitted")

    def _check_kind(self, predicted: np.ndarray) -> None:
        if self.objective.classes:
            foreign = set(predicted) - set(self.objective.classes)
            self._demand(not foreign, f"it predicts {foreign}, which are not among the classes")
        else:
            self._demand(bool(np.isfinite(predicted).all()), "it predicts numbers that are not finite")

    def _check_blindness(self, engine: Engine, predicted: np.ndarray) -> None:
        unanswered = self.rows.drop(columns=self.objective.column)
        self._demand(
            self._equal(engine.predict(unanswered), predicted), "predictions depend on the true answer"
        )
        shuffled = self.rows.sample(frac=1.0, random_state=3)
        self._demand(
            self._equal(engine.predict(shuffled), predicted[shuffled.index]),
            "the prediction of a row depends on the rows beside it, or on their order",
        )
        for subset in SUBSETS:
            few = unanswered[subset].reset_index(drop=True)
            self._demand(
                self._equal(engine.predict(few), predicted[subset]),
                "the prediction of a row depends on the rows beside it, their number or index",
            )

    def _check_probabilities(self, engine: Engine, predicted: np.ndarray) -> None:
        if not (self.objective.classes and isinstance(engine, ProbabilisticEngine)):
            return
        probabilities = engine.predict_probabilities(self.rows)
        try:
            check_probabilities(probabilities, self.objective, len(self.rows))
        except (RuntimeError, EngineError) as error:
            self._demand(False, str(error))
        likeliest = np.array(self.objective.classes, dtype=object)[probabilities.argmax(axis=1)]
        self._demand(bool((likeliest == predicted).all()), "it predicts another class than the likeliest")
        shuffled = self.rows.sample(frac=1.0, random_state=3).drop(columns=self.objective.column)
        again = engine.predict_probabilities(shuffled)
        self._demand(
            bool(np.allclose(again, probabilities[shuffled.index], atol=EQUAL_WITHIN)),
            "its probabilities depend on the rows beside, on their order or on chance",
        )

    def _check_description(self, engine: Engine) -> None:
        described = engine.describe()
        try:
            json.dumps(described)
        except TypeError as error:
            self._demand(False, f"describe() is not made of what JSON has ({error})")
        missing = set(self.settings) - set(described)
        self._demand(not missing, f"describe() leaves out {', '.join(sorted(missing))}")

    def _check_saving(self, engine: Engine, predicted: np.ndarray) -> None:
        engine.save(self.folder / "saved")
        loaded = load((self.folder / "saved").rename(self.moved))
        self._demand(loaded.facets == self.facets, "a loaded model does not know its facets")
        self._demand(self._equal(loaded.predict(self.rows), predicted), "a loaded model predicts otherwise")
        if (before := class_probabilities(engine, self.rows)) is not None:
            after = class_probabilities(loaded, self.rows)
            self._demand(
                after is not None and bool(np.allclose(after, before, atol=EQUAL_WITHIN)),
                "a loaded model gives other probabilities",
            )

    def _check_validation_use(self, engine: Engine, predicted: np.ndarray) -> None:
        """Where validation rows are for nothing, they must not change anything."""
        if engine.validation_use is not ValidationUse.NOTHING:
            return
        other = self._new()
        other.fit(self.train, self.valid[:1], self.facets, self.objective)
        self._demand(
            self._equal(other.predict(self.rows), predicted),
            "it declares no use of validation rows, and they change what it predicts",
        )

    def _check_validation_rows(self, engine: Engine, predicted: np.ndarray) -> None:
        """Tell rows that are trained on from rows that choose, by validation rows whose answers are absurd.

        Predictions follow answers that were trained on, however far off.  An engine that chooses has
        candidates that know nothing of these answers: it may take the one that predicts most, or least, but
        none as far off.  So that a candidate that diverged is no alarm, predictions must follow upward and
        downward.  An engine that learns so little that they move by less than `FOLLOWED` is not found.

        Classes cannot be far off: of candidates that each answer another class, one may rightly be chosen.
        What an engine does with numbers has to speak for its classes.
        """
        use = engine.validation_use
        if self.objective.classes or use is ValidationUse.NOTHING:
            return
        up = self._predicted_after(OFF_BY)
        if ValidationUse.TRAINING in use:
            self._demand(
                not self._equal(up, predicted),
                "it declares that it trains on validation rows, and their answers change nothing",
            )
        elif self._follows(up - predicted) and self._follows(predicted - self._predicted_after(-OFF_BY)):
            self._demand(False, "it declares that it only chooses by validation rows, and it trains on them")

    def _predicted_after(self, off_by: float) -> np.ndarray:
        """Fit with validation answers that are far off, and predict."""
        copies = [self.valid.assign(mat_id=self.valid["mat_id"] + f"-{number}") for number in range(COPIES)]
        planted = pd.concat(copies, ignore_index=True)
        planted[self.objective.column] += off_by * self._scale
        engine = self._new()
        engine.fit(self.train, planted.set_index(planted.index + len(self.rows)), self.facets, self.objective)
        return engine.predict(self.rows)

    def _follows(self, differences: np.ndarray) -> bool:
        return float(differences[self.valid.index].mean()) > FOLLOWED * OFF_BY * self._scale

    @property
    def _scale(self) -> float:
        return float(np.std(self.train[self.objective.column])) or 1.0

    def _equal(self, first: np.ndarray, second: np.ndarray) -> bool:
        if self.objective.classes:
            return bool((first == second).all())
        return bool(np.allclose(first, second, rtol=EQUAL_WITHIN, atol=EQUAL_WITHIN * self._scale))

    def _demand(self, holds: bool, what: str) -> None:
        _demand(holds, self.declared.name, f"{self.objective.column}: {what}")
