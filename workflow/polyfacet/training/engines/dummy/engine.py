"""Predictors that use no facets: baselines that every model has to beat."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from polyfacet.materials.objectives import Objective
from polyfacet.runtime.files import write_text
from polyfacet.training.engines.base import Engine, ValidationUse

ANSWER_FILE = "answer.json"


class Dummy(Engine):
    """Predict the same answer, a statistic of the training rows, for every material.

    Of all constants, the median has the least MAE on the training rows, the mean the least squared error, and
    the majority class the highest accuracy.
    """

    # They are trained on like the rows of the training part.
    validation_use = ValidationUse.TRAINING
    _answer: float | str

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Compute the statistic of all rows."""
        values = pd.concat([train, valid])[objective.column]
        if objective.classes:
            counts = values.value_counts()
            self._answer = max(objective.classes, key=lambda name: counts.get(name, 0))
        else:
            self._answer = float(values.agg(self.settings.statistic))

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the same answer for each row."""
        return np.full(len(frame), self._answer, dtype=object)

    def write_model(self, folder: Path) -> None:
        """Write the answer."""
        write_text(folder / ANSWER_FILE, json.dumps(self._answer) + "\n")

    def read_model(self, folder: Path) -> None:
        """Read the answer."""
        self._answer = json.loads((folder / ANSWER_FILE).read_text(encoding="utf-8"))
