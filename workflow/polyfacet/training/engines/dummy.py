"""Predictors that look at no facet: what every model has to beat."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.files import write_text
from polyfacet.training.engines.base import Resources, Settings, ValidationUse

MODEL_FILE = "dummy.json"

Statistic = Literal["mean", "median"]


class DummySettings(Settings):
    """Which statistic is answered where numbers are predicted; classes get that of the majority."""

    statistic: Statistic = Field(
        default="mean",
        description="What is answered where numbers are predicted; where classes are, it is the most "
        "frequent one.",
    )


class Dummy:
    """Give every material the same answer, a statistic of the training rows.

    The median is the constant of least MAE on the training rows, the mean that of least squared error, the
    class of the majority that of highest accuracy.
    """

    def __init__(self, settings: DummySettings, resources: Resources) -> None:
        self._settings = settings
        self._answer: float | str | None = None

    @property
    def validation_use(self) -> ValidationUse:
        """They are rows of the training part like the others."""
        return ValidationUse.TRAINING

    def fit(
        self,
        train: pd.DataFrame,
        valid: pd.DataFrame,
        facets: Sequence[Facet],
        objective: Objective,
        folder: Path,
    ) -> None:
        """Take the statistic of the rows of ``train`` and ``valid``; ``facets`` are not looked at."""
        values = pd.concat([train, valid])[objective.column]
        if objective.classes:
            counts = values.value_counts()
            self._answer = max(objective.classes, key=lambda name: counts.get(name, 0))
        else:
            self._answer = float(values.agg(self._settings.statistic))
        write_text(folder / MODEL_FILE, json.dumps({**self.describe(), "answer": self._answer}) + "\n")

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Give each row the same answer."""
        if self._answer is None:
            raise RuntimeError("fit() comes before predict()")
        return np.full(len(frame), self._answer, dtype=object if isinstance(self._answer, str) else float)

    def describe(self) -> dict[str, Any]:
        """Give the settings."""
        return self._settings.model_dump()

    def encoder_digests(self) -> dict[str, str]:
        """Give nothing: a dummy has no encoders."""
        return {}
