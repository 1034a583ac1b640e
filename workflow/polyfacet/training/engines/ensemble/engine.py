"""Average the predictions of several engines: numbers, or class probabilities."""

from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import (
    EngineError,
    ProbabilisticEngine,
    Resources,
)
from polyfacet.training.engines.creation import create, load
from polyfacet.training.engines.ensemble.declaration import fault_of_member
from polyfacet.training.engines.ensemble.settings import DEFAULT_MEMBERS, EnsembleSettings, Member
from polyfacet.training.engines.numeric_facets import check_facets
from polyfacet.training.engines.registry import ENGINES


class Ensemble(ProbabilisticEngine):
    """Engines trained on the same rows, facets and objective."""

    def __init__(self, settings: EnsembleSettings, resources: Resources, name: str = "") -> None:
        super().__init__(settings, resources, name)
        self._members = settings.members or DEFAULT_MEMBERS
        self._engines = [_member(each, resources) for each in self._members]
        weights = np.array([each.weight for each in self._members])
        self._weights = weights / weights.sum()
        # Union of the uses of the members.
        self.validation_use = reduce(or_, (engine.validation_use for engine in self._engines))

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Fit each member.

        Raises
        ------
        UserError
            If a facet is not numeric.
        EngineError
            If a member cannot learn from these data.
        """
        check_facets("ensemble", self.facets, train)
        for engine in self._engines:
            engine.fit(train, valid, self.facets, objective)

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        if self.objective.classes:
            likeliest = self.predict_probabilities(frame).argmax(axis=1)
            return np.array(self.objective.classes, dtype=object)[likeliest]
        return np.average([engine.predict(frame) for engine in self._engines], axis=0, weights=self._weights)

    @property
    def has_probabilities(self) -> bool:
        """Whether all members have probabilities."""
        return all(engine.has_probabilities for engine in self._engines)

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the mean probability of each class, shape ``(len(frame), classes)``."""
        votes = [engine.predict_probabilities(frame) for engine in self._engines]
        mean = np.average(votes, axis=0, weights=self._weights)
        if not np.isfinite(mean).all():
            raise EngineError("probabilities of a member are not finite")
        return np.asarray(mean)

    def write_model(self, folder: Path) -> None:
        """Write the model of each member into its own folder: ``member_0`` and so on."""
        for number, engine in enumerate(self._engines):
            engine.save(folder / f"member_{number}")

    def read_model(self, folder: Path) -> None:
        """Read the models of all members."""
        folders = [folder / f"member_{number}" for number in range(len(self._members))]
        self._engines = [_probabilistic(load(each, self.resources.threads)) for each in folders]

    def describe(self) -> dict[str, Any]:
        """Return the settings, with the resolved settings of the members."""
        members = zip(self._members, self._engines, strict=True)
        return {"members": [{**each.model_dump(), "settings": engine.describe()} for each, engine in members]}


def _member(member: Member, resources: Resources) -> ProbabilisticEngine:
    if fault := fault_of_member(ENGINES.get(member.engine)):
        raise UserError(f"the engine {member.engine!r} {fault}, so it cannot be in an ensemble")
    return _probabilistic(create(member.engine, member.settings, resources))


def _probabilistic(engine: Any) -> ProbabilisticEngine:
    if not isinstance(engine, ProbabilisticEngine):
        raise TypeError(f"the engine {engine.name!r} declares probabilities but has none")
    return engine
