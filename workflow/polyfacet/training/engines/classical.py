"""Classical models on the facets that are numbers, of scikit-learn and XGBoost.

The feature sets are those of Yu, Wu and Qian, "Materials Composition Visualization Network": original columns
(O), expanded by the statistics of element properties (E), these after a principal component analysis (E&P).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge, RidgeClassifier, SGDClassifier, SGDRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor
from xgboost.core import XGBoostError

from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.training.engines.base import EngineError, Resources, Settings, ValidationUse
from polyfacet.training.engines.numeric_facets import (
    Array,
    check_facets,
    composition_statistics,
    original_features,
)
from polyfacet.training.engines.sklearn_compat import InvalidParameterError

# What libraries say of numbers that they cannot work with or that training ran off to, and of too few rows;
# any other ValueError is a defect.
OF_THE_DATA = re.compile(
    r"infinit|NaN|too large|overflow|n_components|n_samples|number of classes", re.IGNORECASE
)

MODEL_FILE, BOOSTER_FILE = "classical.json", "xgboost.ubj"

Model = Literal["svm", "forest", "ridge", "sgd", "tree", "xgboost", "extra_trees"]
Features = Literal["original", "expanded", "expanded_pca"]

# Regressor and classifier of each model.
_ESTIMATORS: Mapping[Model, tuple[Callable[..., BaseEstimator], Callable[..., BaseEstimator]]] = {
    "svm": (SVR, SVC),
    "forest": (RandomForestRegressor, RandomForestClassifier),
    "ridge": (Ridge, RidgeClassifier),
    "sgd": (SGDRegressor, SGDClassifier),
    "tree": (DecisionTreeRegressor, DecisionTreeClassifier),
    "xgboost": (XGBRegressor, XGBClassifier),
    "extra_trees": (ExtraTreesRegressor, ExtraTreesClassifier),
}
# Models to which the scale of a feature matters, and, for numbers, that of the target.
_SCALED: tuple[Model, ...] = ("svm", "ridge", "sgd")
# Where a model takes its seed and its threads.
_SEEDED: tuple[Model, ...] = ("forest", "ridge", "sgd", "tree", "xgboost", "extra_trees")
_THREADED: tuple[Model, ...] = ("forest", "xgboost", "extra_trees")


class ClassicalSettings(Settings):
    """Which model, on which features."""

    model: Model = Field(default="forest", description="The model, with its library's defaults.")
    features: Features = Field(
        default="original",
        description="`original`: the facets' own numbers; `expanded`: with the 392 statistics of element "
        "properties; `expanded_pca`: principal components of these.",
    )
    pca_variance: float = Field(
        default=0.99,
        gt=0,
        lt=1,
        description="Share of the variance that the components of `expanded_pca` keep.",
    )
    hyperparameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Anything that the model can be told, by its library's names; the rest has the library's "
        "defaults.",
    )


class Classical:
    """A model for one combination of facets and one objective.

    None of the models chooses anything by validation rows, so that they are trained on, too.
    """

    def __init__(self, settings: ClassicalSettings, resources: Resources) -> None:
        self._settings = settings
        self._resources = resources
        self._facets: tuple[Facet, ...] = ()
        self._classes: tuple[str, ...] = ()
        # The classes that training rows have, as indices: all that a model can know of.
        self._seen: np.ndarray = np.array([], dtype=np.int64)
        self._pipeline: Pipeline | None = None

    @property
    def validation_use(self) -> ValidationUse:
        """They are rows to train on."""
        return ValidationUse.TRAINING

    def fit(
        self,
        train: pd.DataFrame,
        valid: pd.DataFrame,
        facets: Sequence[Facet],
        objective: Objective,
        folder: Path,
    ) -> None:
        """Fit on the rows of ``train`` and ``valid``, all preprocessing included.

        Scikit-learn has no format but pickles, so that only boosted trees on features as they are get stored
        (``xgboost.ubj``); settings and seed are enough to fit any model again.

        Raises
        ------
        UserError
            If a facet is no number, features are missing, or the model refuses its hyperparameters.
        EngineError
            If the model refuses the data or diverges on them, or there is one class.
        """
        check_facets("classical", facets)
        self._facets, self._classes = tuple(facets), objective.classes
        rows = pd.concat([train, valid])
        features, answers = self._features(rows), self._encoded(rows, objective)
        name = self._settings.model
        pipeline = self._new_pipeline()
        try:
            self._pipeline = pipeline.fit(features, answers)
        except (InvalidParameterError, XGBoostError) as error:
            if "alloc" in str(error):  # XGBoost has one error for everything, memory included
                raise
            raise UserError(f"{name} refuses to be fitted, see its hyperparameters: {error}") from error
        except ValueError as error:
            if not OF_THE_DATA.search(str(error)):
                raise
            raise EngineError(f"{name} cannot be fitted: {error}") from error
        self._save(folder)

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        predicted = self._fitted().predict(self._features(frame))
        if not self._classes:
            return np.asarray(predicted, dtype=np.float64)
        return np.array(self._classes, dtype=object)[self._seen[predicted]]

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Give the probability of each class, shape ``(len(frame), classes)``; 1 or 0 if a model has none."""
        model, features = self._fitted(), self._features(frame)
        probabilities = np.zeros((len(frame), len(self._classes)))
        probabilities[:, self._seen] = (
            model.predict_proba(features)
            if hasattr(model, "predict_proba")
            else np.eye(len(self._seen))[model.predict(features)]
        )
        return probabilities

    def describe(self) -> dict[str, Any]:
        """Give the settings."""
        return self._settings.model_dump()

    def encoder_digests(self) -> dict[str, str]:
        """Give nothing: no model has encoders."""
        return {}

    def _fitted(self) -> Pipeline:
        if self._pipeline is None:
            raise RuntimeError("fit() comes before predict()")
        return self._pipeline

    def _features(self, frame: pd.DataFrame) -> Array:
        original = original_features(frame, self._facets)
        if self._settings.features == "original":
            return original
        return np.hstack([original, composition_statistics(frame)])

    def _encoded(self, rows: pd.DataFrame, objective: Objective) -> np.ndarray:
        values = rows[objective.column]
        if not objective.classes:
            return values.to_numpy(np.float64)
        self._seen, encoded = np.unique(values.map(objective.classes.index), return_inverse=True)
        if len(self._seen) < 2:
            raise EngineError(f"all training rows have the same {objective.column}, {values.iloc[0]!r}")
        return encoded

    def _new_pipeline(self) -> Pipeline:
        """Put together what the model needs; boosted trees have a way of their own with missing values."""
        name, reduced = self._settings.model, self._settings.features == "expanded_pca"
        steps: list[BaseEstimator] = []
        if name != "xgboost" or reduced:
            steps.append(SimpleImputer(strategy="median", keep_empty_features=True))
        if name in _SCALED or reduced:
            steps.append(StandardScaler())
        if reduced:
            steps.append(PCA(self._settings.pca_variance, svd_solver="full"))
        return make_pipeline(*steps, self._new_model())

    def _new_model(self) -> BaseEstimator:
        name = self._settings.model
        options: dict[str, Any] = {}
        if name in _SEEDED:
            options["random_state"] = self._resources.seed
        if name in _THREADED:
            options["n_jobs"] = self._resources.threads
        try:
            model = _ESTIMATORS[name][bool(self._classes)](**options | self._settings.hyperparameters)
        except TypeError as error:
            raise UserError(f"{name} does not have these hyperparameters: {error}") from error
        if name in _SCALED and not self._classes:
            return TransformedTargetRegressor(model, transformer=StandardScaler())
        return model

    def _save(self, folder: Path) -> None:
        description = {
            **self.describe(),
            "seed": self._resources.seed,
            "facets": [facet.value for facet in self._facets],
            "classes": [self._classes[index] for index in self._seen],
        }
        pipeline = self._fitted()
        with atomic_path(folder) as part:
            part.mkdir()
            (part / MODEL_FILE).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
            if self._settings.model == "xgboost" and len(pipeline) == 1:
                pipeline[0].save_model(part / BOOSTER_FILE)
