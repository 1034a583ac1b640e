"""AutoGluon's learners with what its settings cannot express: an image encoder per picture facet, and MAE."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torchmetrics
import yaml
from autogluon.multimodal import MultiModalPredictor
from autogluon.multimodal.constants import BEST_K_MODELS_FILE, LOGITS, UNIFORM_SOUP
from autogluon.multimodal.data.process_image import ImageProcessor
from autogluon.multimodal.learners.base import BaseLearner
from autogluon.multimodal.utils import average_checkpoints
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import nn

from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.upstream import written_for
from polyfacet.training.engines.automm.schedule import AdaptiveSchedule, Limits, Watch
from polyfacet.training.engines.automm.selection import Method, Selection, select
from polyfacet.training.engines.base import EngineError

written_for(__name__, "autogluon-multimodal", "1.6.3")

METRIC = "mean_absolute_error"
SQUARED_METRIC = "root_mean_squared_error"
CLASS_METRIC = "log_loss"


class FacetLearner(BaseLearner):
    """Learner of one cell; AutoGluon alone would pass all picture columns to each image model."""

    # Model name to its picture columns, one per view; set before fit.
    picture_columns: Mapping[str, Sequence[str]] = {}
    # Whether the learning rate falls when validation stops improving, instead of by AutoGluon's schedule.
    is_adaptive: bool = False
    # Monotonic time, s, by which the model must be there; None for no limit.
    deadline: float | None = None
    # Records the course of the training.
    watch: Watch
    selection: Selection

    def get_data_processors_per_run(self, *args: Any, **kwargs: Any) -> dict[str, list[Any]]:
        """Return the processors, with one for its own columns per image model."""
        processors: dict[str, list[Any]] = super().get_data_processors_per_run(*args, **kwargs)
        for processor in processors.get("image", []):
            if processor.prefix in self.picture_columns:
                processor.__class__ = ColumnImageProcessor
                processor.columns = self.picture_columns[processor.prefix]
        return processors

    def get_callbacks_per_run(self, *args: Any, **kwargs: Any) -> list[Callback]:
        """Save only weights, for the best epochs, and watch the training.

        AutoGluon would also save states that nothing reads: the optimizer's moments and a second copy of each
        epoch, for resuming a training.
        """
        callbacks: list[Callback] = super().get_callbacks_per_run(*args, **kwargs)
        for callback in callbacks:
            if isinstance(callback, ModelCheckpoint):
                callback.save_weights_only, callback.save_last = True, None
        stops = next((each for each in callbacks if isinstance(each, EarlyStopping)), None)
        if stops is None:
            # These callbacks are for prediction.
            return callbacks
        candidates = max(each.save_top_k for each in callbacks if isinstance(each, ModelCheckpoint))
        # Each candidate is evaluated, and each average of candidates.
        limits = Limits(stops.patience, self.deadline, passes=2 * candidates)
        kind = AdaptiveSchedule if self.is_adaptive else Watch
        self.watch = kind(stops.monitor, stops.mode == "min", limits)
        return [*(each for each in callbacks if each is not stops or not self.is_adaptive), self.watch]

    def predict_per_run(self, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """Predict; AutoGluon would silently replace outputs that are not finite.

        Raises
        ------
        EngineError
            If an output of the network is not a finite number.
        """
        outputs: list[dict[str, Any]] = super().predict_per_run(*args, **kwargs)
        if not all(bool(torch.isfinite(batch[LOGITS]).all()) for batch in outputs):
            raise EngineError("training diverged: predictions are not finite. Lower learning_rate.")
        return outputs

    def top_k_average(
        self, save_path: str, top_k_average_method: Method, *, strict_loading: bool = True, **kwargs: Any
    ) -> None:
        """Choose among the best checkpoints in the direction of the metric, and record the choice.

        Raises
        ------
        EngineError
            If no checkpoint was validated, or none has a score that is a finite number.
        """
        record = Path(save_path) / BEST_K_MODELS_FILE
        monitored: dict[str, float] = (yaml.safe_load(record.read_text()) if record.exists() else None) or {}
        if not monitored:
            # AutoGluon would keep the last state, which may be the initial one.
            raise EngineError(
                "no epoch was validated, so nothing shows that the model has learned: training ended "
                "before its first validation, or keeps no checkpoint. Check optim.max_steps, "
                "optim.val_check_interval, optim.check_val_every_n_epoch and env.fast_dev_run in "
                "settings.hyperparameters."
            )
        scorer = self._eval_metric_func
        rows = self._tuning_data
        if len(rows) == 1:
            # AutoGluon squeezes a single prediction to a scalar, which metrics reject.
            rows = pd.concat([rows, rows], ignore_index=True)

        def score_of(checkpoints: Sequence[str]) -> float:
            average = average_checkpoints(checkpoint_paths=list(checkpoints))
            self._load_state_dict(state_dict=average, prefix="model.", strict=strict_loading)
            try:
                return float(self.evaluate(rows, metrics=[scorer])[scorer.name])
            except EngineError as error:
                raise_machine_failure(error)
                return math.nan

        selection = select(
            [path for path, score in monitored.items() if math.isfinite(score)],
            score_of,
            top_k_average_method,
            scorer.name,
            lower_is_better=not scorer.greater_is_better_internal,
        )
        # AutoGluon averages exactly these, so the direction of the metric is not used.
        record.write_text(yaml.safe_dump({path: monitored[path] for path in selection.kept}))
        super().top_k_average(save_path, UNIFORM_SOUP, strict_loading=strict_loading, **kwargs)
        for path in monitored:
            Path(path).unlink(missing_ok=True)
        self.selection = replace(
            selection,
            candidates={Path(path).name: score for path, score in selection.candidates.items()},
            kept=[Path(path).name for path in selection.kept],
            validations=self.watch.scores,
        )
        self.selection.save(Path(save_path))


class MAELearner(FacetLearner):
    """Learner of numbers by absolute error.

    AutoGluon trains every regression with squared error whatever ``optim.loss_func`` says, and has no
    MAE among its validation metrics.
    """

    def infer_validation_metric(self, is_matching: bool = False) -> None:
        """Choose checkpoints and stop early by MAE."""
        super().infer_validation_metric(is_matching=is_matching)
        self._validation_metric_name, self._minmax_mode = METRIC, "min"

    def get_validation_metric_per_run(self) -> tuple[torchmetrics.Metric, None]:
        """Measure MAE on the validation rows."""
        return torchmetrics.MeanAbsoluteError(), None

    def get_loss_func_per_run(self, config: Any, mixup_active: bool | None = None) -> tuple[nn.Module, None]:
        """Train with MAE."""
        return nn.L1Loss(), None


def use_learner(predictor: MultiModalPredictor, learner: FacetLearner) -> None:
    """Make a predictor that is not fitted yet learn with this learner."""
    predictor._learner = learner


def learner_of(predictor: MultiModalPredictor) -> FacetLearner:
    """Return the learner of a predictor."""
    learner: FacetLearner = predictor._learner
    return learner


def weights_of(predictor: MultiModalPredictor) -> Iterable[torch.Tensor]:
    """Return the weights of a fitted predictor's network."""
    weights: Iterable[torch.Tensor] = predictor._learner._model.parameters()
    return weights


class ColumnImageProcessor(ImageProcessor):
    """Image processor restricted to some picture columns of a row."""

    columns: Sequence[str]

    def __call__(
        self, images: Mapping[str, Any], sub_dtypes: Mapping[str, str], is_training: bool
    ) -> dict[str, Any]:
        """Process the pictures of the columns; the row's other pictures belong to other models."""
        own = {column: images[column] for column in self.columns}
        processed: dict[str, Any] = super().__call__(own, sub_dtypes, is_training)
        return processed


class NoSubstitution(logging.Filter):
    """Turn AutoGluon's debug message that it has replaced a row or picture into an error.

    Attach to the loggers in ``LOGGERS`` at level DEBUG.
    """

    LOGGERS = ("autogluon.multimodal.data.dataset", "autogluon.multimodal.data.process_image")

    def filter(self, record: logging.LogRecord) -> bool:
        """Raise on a replaced row; keep other debug messages out of the log.

        Raises
        ------
        RuntimeError
            If the record reports a replaced row or picture.
        """
        message = record.getMessage()
        if message.startswith(("Skipping sample", "Using a zero image")):
            raise RuntimeError(f"AutoGluon could not read a row and was about to replace it: {message}")
        return record.levelno > logging.DEBUG
