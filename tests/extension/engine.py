"""An engine in one file: the mean of the nearest neighbours among principal components.

The components are its foundation: fitted once per split, on all training rows, for all objectives.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import ProbabilisticEngine, Resources, Settings, ValidationUse
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.numeric_facets import original_features

COMPONENTS = "components.npz"


class NeighboursSettings(Settings):
    """Number of neighbours, and of the components in which they are searched."""

    k: int = Field(default=5, ge=1, description="Number of neighbours.")
    components: int = Field(default=4, ge=1, description="Maximum number of principal components per facet.")


class Neighbours(ProbabilisticEngine):
    """Predicts the mean, or the class shares, of the nearest training rows."""

    # Validation rows are possible neighbours, too.
    validation_use = ValidationUse.TRAINING
    _known: np.ndarray
    _answers: np.ndarray
    _components: dict[str, np.ndarray]

    @classmethod
    def pretrain(
        cls,
        settings: Any,
        rows: pd.DataFrame,
        facets: Sequence[Facet],
        objectives: Sequence[Objective],
        folder: Path,
        resources: Resources,
    ) -> None:
        """Fit the scaling and principal components of each facet."""
        fitted: dict[str, np.ndarray] = {}
        for facet in facets:
            values = original_features(rows, [facet])
            scaler = StandardScaler().fit(values)
            scaled = scaler.transform(values)
            n = min(settings.components, *scaled.shape)
            pca = PCA(n, svd_solver="full").fit(scaled)
            fitted[f"{facet.name}.mean"] = scaler.mean_
            fitted[f"{facet.name}.axes"] = pca.components_.T / scaler.scale_[:, None]
        np.savez(folder / COMPONENTS, **fitted)

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Store all rows."""
        if self.resources.foundation is None:
            raise ValueError("the engine `closest` needs its foundation")
        with np.load(self.resources.foundation / COMPONENTS) as stored:
            self._components = {name: stored[name] for name in stored.files}
        rows = pd.concat([train, valid])
        self._known = self._project(rows)
        values = rows[objective.column]
        self._answers = (
            np.eye(len(objective.classes))[values.map(objective.classes.index)]
            if objective.classes
            else values.to_numpy(np.float64)
        )

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Average the targets of the neighbours."""
        if self.objective.classes:
            likeliest = self.predict_probabilities(frame).argmax(axis=1)
            return np.array(self.objective.classes, dtype=object)[likeliest]
        return self._mean_of_neighbours(frame)

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the class shares among the neighbours."""
        return self._mean_of_neighbours(frame)

    def write_model(self, folder: Path) -> None:
        """Write the stored rows and the components."""
        np.savez(folder / "rows.npz", known=self._known, answers=self._answers)
        np.savez(folder / COMPONENTS, **self._components)

    def read_model(self, folder: Path) -> None:
        """Read the stored rows and the components."""
        with np.load(folder / "rows.npz") as stored:
            self._known, self._answers = stored["known"], stored["answers"]
        with np.load(folder / COMPONENTS) as stored:
            self._components = {name: stored[name] for name in stored.files}

    def _project(self, frame: pd.DataFrame) -> np.ndarray:
        parts = [
            (original_features(frame, [facet]) - self._components[f"{facet.name}.mean"])
            @ self._components[f"{facet.name}.axes"]
            for facet in self.facets
        ]
        return np.hstack(parts)

    def _mean_of_neighbours(self, frame: pd.DataFrame) -> np.ndarray:
        k = min(self.settings.k, len(self._known))
        found = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(self._known)
        nearest = found.kneighbors(self._project(frame), return_distance=False)
        return self._answers[nearest].mean(axis=1)


NEIGHBOURS = EngineDeclaration(
    "closest",
    NeighboursSettings,
    Neighbours,
    looks_at=lambda facet: facet.is_numeric,
    cost=Cost(mb=500, mb_per_1000=20, minutes_per_1000=0.1),
    classes=True,
    probabilities=True,
    foundation=True,
    cheap=True,
)
