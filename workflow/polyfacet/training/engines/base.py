"""What an engine is: something that learns an objective from facets and predicts it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from polyfacet.config.section import Section
from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective


class EngineError(Exception):
    """The engine cannot learn from these data: recorded on the cell's card, other cells go on.

    Raise it for data and for training that diverges, never for what another attempt may get past.
    """


class ValidationUse(Flag):
    """What an engine does with the validation rows; an ensemble may do both."""

    NOTHING = 0
    # They choose: an epoch, the checkpoints that are kept.
    CHOICE = auto()
    # They are rows to train on like the others.
    TRAINING = auto()


class Settings(Section):
    """Settings of an engine: closed to unknown keys, so that a typing error in a config is an error."""


@dataclass(frozen=True)
class Resources:
    """What an engine is given beside its settings."""

    seed: int
    threads: int = 1
    # Folder of local encoder checkpoints; None takes the encoders from the hub.
    encoders: Path | None = None
    # Folder in which a long training keeps its state, to go on after an interruption; None keeps none.
    states: Path | None = None
    # Facet to the checkpoint that it takes instead: a folder, or a repository of the hub.
    checkpoints: Mapping[str, str | None] = field(default_factory=dict)


class Engine(Protocol):
    """A way to learn.

    Its frames are rows of the dataset table: ``mat_id``, the columns of the facets and of what is predicted.
    """

    @property
    def validation_use(self) -> ValidationUse:
        """What ``fit`` does with the rows of ``valid``; the card counts rows by it."""
        ...

    def fit(
        self,
        train: pd.DataFrame,
        valid: pd.DataFrame,
        facets: Sequence[Facet],
        objective: Objective,
        folder: Path,
    ) -> None:
        """Learn from ``train``, choose by ``valid`` or learn from it too, and leave the model in ``folder``.

        Raises
        ------
        EngineError
            If these data cannot be learned from, or training diverges.  Anything else that goes wrong, such
            as memory that does not suffice or a file that is missing, is raised as it is: the job fails.
        """
        ...

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row.

        Returns
        -------
        numpy.ndarray
            Shape ``(len(frame),)``: numbers in the unit of the objective, or names of classes (dtype object).
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Give the settings as resolved, defaults included: what has to be known to train the same again."""
        ...

    def encoder_digests(self) -> dict[str, str]:
        """Give the SHA-256 of each facet's local checkpoint that training started from; may be empty."""
        ...


@runtime_checkable
class ProbabilisticEngine(Engine, Protocol):
    """An engine that knows how sure it is of a class."""

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Give the probability of each class of the objective, shape ``(len(frame), classes)``."""
        ...
