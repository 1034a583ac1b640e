"""AutoGluon's learners with what its settings cannot express: an image encoder per picture facet, and MAE."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torchmetrics
from autogluon.multimodal.data.process_image import ImageProcessor
from autogluon.multimodal.learners.base import BaseLearner
from torch import nn

METRIC = "mean_absolute_error"
CLASS_METRIC = "log_loss"


class FacetLearner(BaseLearner):
    """Learner of one cell; AutoGluon 1.6.3 shows all picture columns to each image model."""

    # Model name to the picture columns it looks at, one a view; set before fit.
    picture_columns: Mapping[str, Sequence[str]] = {}

    def get_data_processors_per_run(self, *args: Any, **kwargs: Any) -> dict[str, list[Any]]:
        """Give each image model the processor of its own columns."""
        processors: dict[str, list[Any]] = super().get_data_processors_per_run(*args, **kwargs)
        for processor in processors.get("image", []):
            if processor.prefix in self.picture_columns:
                processor.__class__ = ColumnImageProcessor
                processor.columns = self.picture_columns[processor.prefix]
        return processors


class MAELearner(FacetLearner):
    """Learner of numbers by absolute errors.

    AutoGluon 1.6.3 trains every regression with squared error whatever ``optim.loss_func`` says, and has no
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


class ColumnImageProcessor(ImageProcessor):
    """Image processor that looks at some picture columns of a row."""

    columns: Sequence[str]

    def __call__(
        self, images: Mapping[str, Any], sub_dtypes: Mapping[str, str], is_training: bool
    ) -> dict[str, Any]:
        """Process the pictures of the columns; the others of the row are another model's."""
        own = {column: images[column] for column in self.columns}
        processed: dict[str, Any] = super().__call__(own, sub_dtypes, is_training)
        return processed


class NoSubstitution(logging.Filter):
    """Turns AutoGluon's debug message that it has replaced a row or picture into an error.

    Attach to the loggers in ``LOGGERS`` at level DEBUG.
    """

    LOGGERS = ("autogluon.multimodal.data.dataset", "autogluon.multimodal.data.process_image")

    def filter(self, record: logging.LogRecord) -> bool:
        """Raise on a replaced row; keep other debug messages out of the log.

        Raises
        ------
        RuntimeError
            If the record tells of a row or picture that was replaced.
        """
        message = record.getMessage()
        if message.startswith(("Skipping sample", "Using a zero image")):
            raise RuntimeError(f"AutoGluon could not read a row and was about to replace it: {message}")
        return record.levelno > logging.DEBUG
