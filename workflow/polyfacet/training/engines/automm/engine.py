"""The engine: one encoder per facet, late fusion, fine-tuned on one target."""

import logging
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import numpy as np
import pandas as pd
import torch
from autogluon.core.metrics import Scorer, get_metric
from autogluon.multimodal import MultiModalPredictor
from autogluon.multimodal.constants import BINARY, MULTICLASS, REGRESSION
from transformers.utils.logging import disable_progress_bar

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_folder
from polyfacet.training.cards import Course, Trial
from polyfacet.training.encoders.hub import hub_checkpoints
from polyfacet.training.encoders.hub_cache import WAYS_OUT
from polyfacet.training.encoders.local import checkpoint_of
from polyfacet.training.encoders.own_checkpoints import (
    encoder_model,
    flat,
    folder_identity,
    local_folder,
    own_checkpoints,
)
from polyfacet.training.engines.automm.autogluon_compat import (
    CLASS_METRIC,
    METRIC,
    SQUARED_METRIC,
    FacetLearner,
    MAELearner,
    NoSubstitution,
    learner_of,
    use_learner,
    weights_of,
)
from polyfacet.training.engines.automm.causes import is_of_the_hub, true_causes
from polyfacet.training.engines.automm.hyperparameters import (
    AutoMMSettings,
    hyperparameters_of,
    search_of,
)
from polyfacet.training.engines.automm.inputs import (
    all_picture_columns,
    column_types,
    columns_of,
    model_table,
)
from polyfacet.training.engines.automm.pictures import check_pictures
from polyfacet.training.engines.automm.predictor_files_compat import read_predictor, replace_pickles
from polyfacet.training.engines.automm.saved import make_relocatable
from polyfacet.training.engines.automm.search import Training, best_training
from polyfacet.training.engines.base import EngineError, ProbabilisticEngine, Resources, ValidationUse

logger = logging.getLogger(__name__)

# Errors only: AutoGluon prints a page per training.
VERBOSITY = 1


class AutoMM(ProbabilisticEngine):
    """A multimodal predictor for one combination of facets and one objective."""

    # They select the epochs and stop the training.
    validation_use = ValidationUse.CHOICE
    _predictor: MultiModalPredictor
    # Folder of the trained model.
    _home: Path

    def __init__(self, settings: AutoMMSettings, resources: Resources, name: str = "") -> None:
        super().__init__(settings, resources, name)
        self._hyperparameters: Mapping[str, Any] = {}
        self._course: Course | None = None
        self._trials: Sequence[Trial] = ()
        # Working folder of AutoGluon's training.
        self._scratch: TemporaryDirectory[str] | None = None

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Fine-tune encoders and fusion on ``train``; keep the best weights on ``valid``.

        Numbers are learned by absolute or squared error, classes by cross entropy.  AutoGluon standardises
        numbers by their mean and deviation over ``train``.  Checkpoints of the running training are in a
        folder that is deleted with the engine.

        Raises
        ------
        EngineError
            If classes are missing, a vector does not vary or is infinite, or training diverges.
        UserError
            If a checkpoint of an encoder is missing, or a picture is missing or cannot be decoded.
        """
        if objective.classes:
            _check_classes(train[objective.column], valid[objective.column])
        for frame in (train, valid):
            check_pictures(frame, all_picture_columns(self.facets, list(frame.columns)))
        self._scratch = TemporaryDirectory(prefix="automm-", dir=self.resources.scratch)
        with _quiet(), true_causes(), _no_substitution():
            torch.set_num_threads(self.resources.threads)
            tables = [model_table(each, self.facets, objective) for each in (train, valid)]
            _check_numbers(tables[0], self.facets)
            best, self._trials = best_training(
                search_of(self.facets, self.settings),
                self.settings.time_limit_s,
                self.resources.seed,
                lambda values, deadline: self._trained(values, deadline, tables, objective),
            )
            make_relocatable(best.home)
            replace_pickles(best.home, best.predictor)
        self._predictor, self._home, self._hyperparameters = best.predictor, best.home, best.hyperparameters
        self._course = best.course
        if best.course.cut_off:
            logger.warning("%s, %s: %s", objective.column, combination_name(self.facets), best.course.cut_off)

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row.

        Raises
        ------
        EngineError
            If a number is infinite, or a prediction is not finite.
        UserError
            If a picture is missing or cannot be decoded.
        """
        return np.atleast_1d(self._asked(self._predictor.predict, frame))

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, shape ``(len(frame), classes)``; raises as `answer` does."""
        classes = self.objective.classes
        # The classes of the training rows.
        known = [classes.index(name) for name in self._predictor.class_labels]
        probabilities = np.zeros((len(frame), len(classes)))
        probabilities[:, known] = self._asked(self._predictor.predict_proba, frame)
        return probabilities

    def _asked(self, question: Callable[..., np.ndarray], frame: pd.DataFrame) -> np.ndarray:
        """Query AutoGluon for the rows."""
        check_pictures(frame, all_picture_columns(self.facets, list(frame.columns)))
        with _quiet(), true_causes(), _no_substitution():
            torch.set_num_threads(self.resources.threads)
            return question(model_table(frame, self.facets), as_pandas=False)

    def write_model(self, folder: Path) -> None:
        """Copy what was saved."""
        shutil.copytree(self._home, folder, dirs_exist_ok=True)

    def read_model(self, folder: Path) -> None:
        """Load a trained predictor, even if its folder was moved."""
        with _quiet():
            self._predictor, self._home = read_predictor(folder, VERBOSITY), folder

    def describe(self) -> dict[str, Any]:
        """Return the settings; once trained, AutoGluon's hyperparameters too, without checkpoint paths."""
        told = self._hyperparameters.items()
        portable = {name: value for name, value in told if not name.endswith("checkpoint_name")}
        return {**self.settings.model_dump(), "hyperparameters": portable}

    def course(self) -> Course | None:
        """Return how the training went, and what a search has tried."""
        return self._course and self._course.model_copy(update={"trials": tuple(self._trials)})

    def encoder_identities(self) -> dict[str, str]:
        """Return the identity of the local checkpoint of each facet of the combination."""
        encoders = self.resources.encoders
        own = own_checkpoints(self.facets, self.resources.checkpoints, self.settings.hyperparameters)
        digests = {}
        for facet in self.facets:
            if facet in own:
                folder = local_folder(facet, own[facet])
                if folder is not None:
                    digests[facet.name] = folder_identity(folder)
            elif encoder_model(facet) and encoders is not None:
                digests[facet.name] = sha256_of_folder(checkpoint_of(encoders, facet))
        return digests

    def _trained(
        self,
        values: Mapping[str, Any],
        deadline: float | None,
        tables: Sequence[pd.DataFrame],
        objective: Objective,
    ) -> Training:
        """Train with some hyperparameters of a search, on a table of training and one of validation rows."""
        searched = {**dict(flat(self.settings.hyperparameters)), **values}
        settings = self.settings.model_copy(update={"hyperparameters": searched})
        hyperparameters = hyperparameters_of(
            self.facets, settings, self.resources.encoders, self.resources.checkpoints
        )
        home = Path(mkdtemp(dir=self._scratch.name if self._scratch else None)) / "model"
        predictor = self._new_predictor(tables[0], objective, deadline)
        self._train(predictor, tables, hyperparameters, home)
        _refuse_divergence(predictor)
        learner = learner_of(predictor)
        return Training(predictor, home, hyperparameters, learner.watch.course, learner.selection)

    def _new_predictor(
        self, table: pd.DataFrame, objective: Objective, deadline: float | None
    ) -> MultiModalPredictor:
        problem = REGRESSION
        if objective.classes:
            problem = BINARY if table[objective.column].nunique() == 2 else MULTICLASS
        learner_class, metric = self._learner_and_metric(objective)
        common = {
            "label": objective.column,
            "problem_type": problem,
            "eval_metric": metric,
            "verbosity": VERBOSITY,
            "enable_progress_bar": False,
        }
        predictor = MultiModalPredictor(**common)
        learner = learner_class(**common)
        learner.is_adaptive, learner.deadline = self.settings.schedule == "adaptive", deadline
        pictures = [facet for facet in self.facets if facet.kind == "image"]
        if len(pictures) > 1:
            learner.picture_columns = {
                model: shown_columns(facet, table.columns)
                for facet in pictures
                if (model := encoder_model(facet))
            }
        use_learner(predictor, learner)
        return predictor

    def _learner_and_metric(self, objective: Objective) -> tuple[type[FacetLearner], str | Scorer]:
        """Choose what trains, and the metric that chooses among checkpoints."""
        if objective.classes:
            return FacetLearner, CLASS_METRIC
        # Passed as objects: AutoGluon does not know MAE by name for regression and falls back to RMSE.
        if self.settings.loss == "squared":
            return FacetLearner, get_metric(SQUARED_METRIC)
        return MAELearner, get_metric(METRIC)

    def _train(
        self,
        predictor: MultiModalPredictor,
        tables: Sequence[pd.DataFrame],
        hyperparameters: Mapping[str, Any],
        folder: Path,
    ) -> None:
        train, valid = tables
        deadline = learner_of(predictor).deadline
        try:
            predictor.fit(
                # Ends an epoch that takes too long; AutoGluon's clock starts with the first step.
                time_limit=None if deadline is None else max(1, int(deadline - time.monotonic())),
                train_data=train,
                tuning_data=valid,
                column_types=column_types(self.facets, list(train.columns)),
                presets=self.settings.preset if self.resources.encoders is None else None,
                hyperparameters=dict(hyperparameters),
                seed=self.resources.seed,
                save_path=str(folder),
            )
        except EngineError:
            raise
        except Exception as error:
            if not is_of_the_hub(error):
                raise
            names = ", ".join(hub_checkpoints(self.facets, self.settings, self.resources.checkpoints))
            raise UserError(
                f"training needs {names} from the Hugging Face hub: {error}\n{WAYS_OUT}"
            ) from error


def _check_classes(train: pd.Series, valid: pd.Series) -> None:
    """Check for classes that make AutoGluon fail with unclear messages."""
    unknown = sorted(set(valid) - set(train))
    if unknown or train.nunique() < 2:
        what = f"without {', '.join(unknown)}" if unknown else f"of one class, {train.iloc[0]!r},"
        raise EngineError(f"{train.name}: the training rows {what} are too few to tell classes apart")


def _check_numbers(train: pd.DataFrame, facets: Sequence[Facet]) -> None:
    """Check that some number varies: AutoGluon drops constant ones, and thus possibly the entire facet."""
    for facet in facets:
        if facet.kind == "vector":
            numbers = train[columns_of(facet, list(train.columns))]
            if (numbers.nunique() < 2).all():
                raise EngineError(f"{facet.name} is the same in all training rows: nothing to learn from")


def _refuse_divergence(predictor: MultiModalPredictor) -> None:
    """Check the weights: AutoGluon turns NaN predictions into 0."""
    if not all(bool(torch.isfinite(weight).all()) for weight in weights_of(predictor)):
        raise EngineError("training diverged: weights are not finite. Lower learning_rate.")


@contextmanager
def _no_substitution() -> Iterator[None]:
    """Make AutoGluon fail where it would replace an unreadable row by another."""
    guard = NoSubstitution()
    loggers = [logging.getLogger(name) for name in NoSubstitution.LOGGERS]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG)
        each.addFilter(guard)
    try:
        yield
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.removeFilter(guard)
            each.setLevel(level)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress warnings and messages that are irrelevant to the result."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    disable_progress_bar()
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
