"""Predictors that look at no facet: what every model has to beat."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from polyfacet.engines.base import Resources, Settings
from polyfacet.facets import Facet
from polyfacet.files import write_text
from polyfacet.targets import Target

MODEL_FILE = "dummy.json"


class DummySettings(Settings):
    """The settings of a dummy."""

    statistic: Literal["mean", "median"]


class Dummy:
    """Answer one number for every material: the mean or median of the target over the training rows.

    The median is the constant of least MAE on the training rows, the mean that of least squared error.
    """

    def __init__(self, settings: DummySettings, resources: Resources) -> None:
        self._settings = settings
        self._value: float | None = None

    def fit(
        self,
        train: pd.DataFrame,
        valid: pd.DataFrame,
        facets: Sequence[Facet],
        target: Target,
        folder: Path,
    ) -> None:
        """Take the statistic of the training rows; ``valid`` and ``facets`` are not looked at."""
        self._value = float(train[target.value].agg(self._settings.statistic))
        write_text(folder / MODEL_FILE, json.dumps({**self.describe(), "value": self._value}) + "\n")

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Answer the constant for each row."""
        if self._value is None:
            raise RuntimeError("fit() comes before predict()")
        return np.full(len(frame), self._value)

    def describe(self) -> dict[str, Any]:
        """Give the settings."""
        return self._settings.model_dump()

    def encoder_digests(self) -> dict[str, str]:
        """Give nothing: a dummy has no encoders."""
        return {}
