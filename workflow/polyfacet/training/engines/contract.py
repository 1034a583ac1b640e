"""The contract of engines as a check: what every cell relies on, tried on rows that you give.

Run it on an engine of your own before you trust its numbers::

    use_plugins(["plugins/my_engine.py"])
    check_engine("my_engine", {}, rows, facets, objectives, folder)
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.base import (
    Engine,
    EngineError,
    ProbabilisticEngine,
    Resources,
    ValidationUse,
)
from polyfacet.training.engines.creation import create, engine_class, load
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.probabilities import (
    EQUAL_WITHIN,
    check_probabilities,
    class_probabilities,
)
from polyfacet.training.engines.registry import ENGINES

# Shares of the rows that are trained on and that validate; the rest is only predicted.
TRAINED_ON, VALIDATED_BY = 0.6, 0.2


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
    for objective in objectives:
        if declared.classes or not objective.classes:
            trial = _Trial(declared, settings, rows, facets, objective, folder / objective.column, given)
            trial.check()


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
        self.resources = resources
        if declared.foundation:
            self.resources = self._with_foundation(resources)

    def check(self) -> None:
        """Check every clause."""
        engine = self._new()
        self._check_not_fitted(engine)
        before = self.rows.copy(deep=True)
        engine.fit(self.train, self.valid, self.facets, self.objective)
        predicted = engine.predict(self.rows)
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

    def _new(self) -> Engine:
        return create(self.declared.name, self.settings, self.resources)

    def _with_foundation(self, resources: Resources) -> Resources:
        home = self.folder / "foundation"
        home.mkdir()
        settings = self.declared.settings(**self.settings)
        rows = self.train.drop(columns=self.objective.column)
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
        moved = (self.folder / "saved").rename(self.folder / "moved")
        loaded = load(moved)
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

    def _equal(self, first: np.ndarray, second: np.ndarray) -> bool:
        if self.objective.classes:
            return bool((first == second).all())
        scale = float(np.std(self.train[self.objective.column])) or 1.0
        return bool(np.allclose(first, second, rtol=EQUAL_WITHIN, atol=EQUAL_WITHIN * scale))

    def _demand(self, holds: bool, what: str) -> None:
        _demand(holds, self.declared.name, f"{self.objective.column}: {what}")
