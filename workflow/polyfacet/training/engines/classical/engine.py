"""Classical models of scikit-learn and XGBoost on numeric facets."""

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from quantile_forest import ExtraTreesQuantileRegressor, RandomForestQuantileRegressor
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

from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.training.engines.base import EngineError, ProbabilisticEngine, ValidationUse
from polyfacet.training.engines.classical.limits import WideRange
from polyfacet.training.engines.classical.settings import Model
from polyfacet.training.engines.classical.sklearn_compat import InvalidParameterError
from polyfacet.training.engines.classical.storage import FittedModel, read_fitted, write_fitted
from polyfacet.training.engines.numeric_facets import (
    Array,
    check_facets,
    composition_statistics,
    original_features,
)
from polyfacet.training.powers_of_two import divided, exponents_of

# Messages of the libraries about unusable or diverging numbers and too few rows;
# any other ValueError is a defect.
OF_THE_DATA = re.compile(
    r"infinit|NaN|too large|overflow|n_components|n_samples|number of classes", re.IGNORECASE
)

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
# Regressors of the median.  Forests are fitted as those of the mean, but predict the median of the training
# values in the leaves of a row (Meinshausen, "Quantile Regression Forests", 2006); boosting minimizes the
# absolute error.
_OF_LEAVES = {"default_quantiles": 0.5, "max_samples_leaf": None}
_MEDIAN_ESTIMATORS: Mapping[Model, Callable[..., BaseEstimator]] = {
    "forest": partial(RandomForestQuantileRegressor, **_OF_LEAVES),
    "extra_trees": partial(ExtraTreesQuantileRegressor, **_OF_LEAVES),
    "xgboost": partial(XGBRegressor, objective="reg:absoluteerror"),
}
# Models that are sensitive to the scale of features and, for numbers, of the target.
_SCALED: tuple[Model, ...] = ("svm", "ridge", "sgd")
# Names of each model's parameters for seed and threads.
_SEEDED: tuple[Model, ...] = ("forest", "ridge", "sgd", "tree", "xgboost", "extra_trees")
_THREADED: tuple[Model, ...] = ("forest", "xgboost", "extra_trees")


class Classical(ProbabilisticEngine):
    """A model for one combination of facets and one objective.

    None of the models uses validation rows for selection, so these are trained on, too.
    """

    # They are trained on.
    validation_use = ValidationUse.TRAINING
    _fitted: FittedModel

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Fit on the rows of ``train`` and ``valid``, all preprocessing included.

        Raises
        ------
        UserError
            If a facet is not numeric, features are missing, or the model rejects its hyperparameters.
        EngineError
            If the model rejects the data or diverges on them, or there is only one class.
        """
        check_facets("classical", self.facets, train)
        rows = pd.concat([train, valid])
        features = self._features(rows)
        seen, answers = _encoded(rows, objective)
        exponent = 0 if objective.classes else _exponent(answers)
        name = self.settings.model
        pipeline = self._new_pipeline(bool(objective.classes))
        try:
            pipeline.fit(features, divided(answers, exponent) if exponent else answers)
        except (ValueError, XGBoostError) as error:
            raise_machine_failure(error)
            if OF_THE_DATA.search(str(error)) and not isinstance(error, InvalidParameterError):
                raise EngineError(f"{name} cannot be fitted: {error}") from error
            # XGBoost raises the same error for everything.
            if isinstance(error, InvalidParameterError | XGBoostError):
                raise UserError(f"{name} cannot be fitted, check its hyperparameters: {error}") from error
            raise
        self._fitted = FittedModel(pipeline, seen, exponent)

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        predicted = self._fitted.pipeline.predict(self._features(frame))
        if not self.objective.classes:
            return np.ldexp(np.asarray(predicted, dtype=np.float64), self._fitted.exponent)
        return np.array(self.objective.classes, dtype=object)[self._fitted.seen[predicted]]

    @property
    def has_probabilities(self) -> bool:
        """Whether the model predicts probabilities; the others vote."""
        return hasattr(self._fitted.pipeline, "predict_proba")

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, shape ``(len(frame), classes)``; 1 or 0 if a model votes."""
        model, seen, features = self._fitted.pipeline, self._fitted.seen, self._features(frame)
        probabilities = np.zeros((len(frame), len(self.objective.classes)))
        probabilities[:, seen] = (
            model.predict_proba(features)
            if self.has_probabilities
            else np.eye(len(seen))[model.predict(features)]
        )
        return probabilities

    def write_model(self, folder: Path) -> None:
        """Write the fitted pipeline."""
        write_fitted(folder, self._fitted)

    def read_model(self, folder: Path) -> None:
        """Read the fitted pipeline."""
        self._fitted = read_fitted(folder)

    def _features(self, frame: pd.DataFrame) -> Array:
        original = original_features(frame, self.facets)
        if self.settings.features == "original":
            return original
        return np.hstack([original, composition_statistics(frame)])

    def _new_pipeline(self, of_classes: bool) -> Pipeline:
        """Build the preprocessing and the model; boosted trees handle missing values themselves."""
        name, reduced = self.settings.model, self.settings.features == "expanded_pca"
        steps: list[BaseEstimator] = []
        if name != "xgboost" or reduced:
            steps.append(SimpleImputer(strategy="median", keep_empty_features=True))
        if name in _SCALED or reduced:
            steps += [WideRange(), StandardScaler()]
        if reduced:
            steps.append(PCA(self.settings.pca_variance, svd_solver="full"))
        return make_pipeline(*steps, self._new_model(of_classes))

    def _new_model(self, of_classes: bool) -> BaseEstimator:
        name = self.settings.model
        options: dict[str, Any] = {}
        if name in _SEEDED:
            options["random_state"] = self.resources.seed
        if name in _THREADED:
            options["n_jobs"] = self.resources.threads
        try:
            model = self._estimator(of_classes)(**options | self.settings.hyperparameters)
        except TypeError as error:
            raise UserError(f"{name} does not have these hyperparameters: {error}") from error
        if name in _SCALED and not of_classes:
            return TransformedTargetRegressor(model, transformer=StandardScaler())
        return model

    def _estimator(self, of_classes: bool) -> Callable[..., BaseEstimator]:
        if self.settings.statistic == "median" and not of_classes:
            return _MEDIAN_ESTIMATORS[self.settings.model]
        return _ESTIMATORS[self.settings.model][of_classes]


def _exponent(answers: np.ndarray) -> int:
    """Return the exponent of the power of two just above the spread of answers.

    Trees stop where a split gains little in absolute terms, whatever the unit.  Dividing by a power of two
    changes no digit, so that answers of about 1 are learned as the library alone would.
    """
    exponent = int(exponents_of(answers))
    spread = float(np.std(divided(answers, exponent)))
    return exponent + math.frexp(spread)[1] if spread > 0 else 0


def _encoded(rows: pd.DataFrame, objective: Objective) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the classes that occur, and the values to learn."""
    values = rows[objective.column]
    if not objective.classes:
        return np.array([], dtype=np.int64), values.to_numpy(np.float64)
    seen, encoded = np.unique(values.map(objective.classes.index), return_inverse=True)
    if len(seen) < 2:
        raise EngineError(f"all training rows have the same {objective.column}, {values.iloc[0]!r}")
    return seen, encoded
