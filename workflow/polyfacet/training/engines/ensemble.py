"""Several engines that answer together: the mean of their numbers, or of their probabilities of classes."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.training.engines.base import (
    Engine,
    EngineError,
    ProbabilisticEngine,
    Resources,
    Settings,
    ValidationUse,
)
from polyfacet.training.engines.numeric_facets import check_facets

MODEL_FILE = "ensemble.json"

CreateEngine = Callable[[str, Mapping[str, Any], Resources], Engine]


class Member(Settings):
    """One engine of an ensemble."""

    engine: str = Field(
        description="Name of an engine that gives probabilities and needs no encoders.",
        examples=["classical"],
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="Its settings.")
    weight: float = Field(
        default=1.0, gt=0, description="Its share in the answer, relative to the other members."
    )


# Trees that split at random, and slow boosting on parts of rows and features: they err differently.
DEFAULT_MEMBERS = (
    Member(engine="classical", settings={"model": "extra_trees", "hyperparameters": {"n_estimators": 300}}),
    Member(
        engine="classical",
        settings={
            "model": "xgboost",
            "hyperparameters": {
                "n_estimators": 600,
                "learning_rate": 0.05,
                "max_depth": 8,
                "subsample": 0.8,
                "colsample_bytree": 0.5,
            },
        },
    ),
)


class EnsembleSettings(Settings):
    """The engines that answer together."""

    members: tuple[Member, ...] | None = Field(
        default=None,
        min_length=1,
        description="List of `{engine, settings, weight}`; `null` takes extra trees and slowly boosted "
        "trees.",
    )


class Ensemble:
    """Engines trained on the same rows, facets and objective; ``create`` makes an engine by name."""

    def __init__(self, create: CreateEngine, settings: EnsembleSettings, resources: Resources) -> None:
        self._members = settings.members or DEFAULT_MEMBERS
        self._engines = [_member(create, each, resources) for each in self._members]
        weights = np.array([each.weight for each in self._members])
        self._weights = weights / weights.sum()
        self._classes: tuple[str, ...] = ()

    @property
    def validation_use(self) -> ValidationUse:
        """What any member does with them."""
        return reduce(or_, (engine.validation_use for engine in self._engines))

    def fit(
        self,
        train: pd.DataFrame,
        valid: pd.DataFrame,
        facets: Sequence[Facet],
        objective: Objective,
        folder: Path,
    ) -> None:
        """Fit each member, and leave its model in a folder of its own: ``member_0`` and so on.

        Raises
        ------
        UserError
            If a facet is no number.
        EngineError
            If a member cannot learn from these data.
        """
        check_facets("ensemble", facets)
        self._classes = objective.classes
        with atomic_path(folder) as part:
            part.mkdir()
            for number, engine in enumerate(self._engines):
                engine.fit(train, valid, facets, objective, part / f"member_{number}")
            (part / MODEL_FILE).write_text(json.dumps(self.describe(), indent=2) + "\n", encoding="utf-8")

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        if self._classes:
            likeliest = self.predict_probabilities(frame).argmax(axis=1)
            return np.array(self._classes, dtype=object)[likeliest]
        return np.average([engine.predict(frame) for engine in self._engines], axis=0, weights=self._weights)

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Give the mean probability of each class, shape ``(len(frame), classes)``."""
        votes = [engine.predict_probabilities(frame) for engine in self._engines]
        mean = np.average(votes, axis=0, weights=self._weights)
        if not np.isfinite(mean).all():
            raise EngineError("probabilities of a member are not finite")
        return mean

    def describe(self) -> dict[str, Any]:
        """Give the settings, those of the members as they resolve them."""
        members = zip(self._members, self._engines, strict=True)
        return {"members": [{**each.model_dump(), "settings": engine.describe()} for each, engine in members]}

    def encoder_digests(self) -> dict[str, str]:
        """Give nothing: no member has encoders."""
        return {}


def _member(create: CreateEngine, member: Member, resources: Resources) -> ProbabilisticEngine:
    engine = create(member.engine, member.settings, resources)
    if not isinstance(engine, ProbabilisticEngine):
        raise UserError(f"engine {member.engine!r} gives no probabilities, so it cannot be in an ensemble")
    return engine
