"""The base class of engines, which learn an objective from facets and predict it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Flag, auto
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ConfigDict

from polyfacet.config.section import Section
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS, combination_name
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.plugins import Origin
from polyfacet.training.cards import Course
from polyfacet.training.engines.training_rows import TrainingRows

# Self-description of a saved model.
ENGINE_FILE = "engine.json"


class EngineError(Exception):
    """The engine cannot learn from these data: recorded on the cell's card; other cells continue.

    Raise it for unsuitable data and diverging training, never for errors that a retry may resolve.
    """


def check_converged(outputs: np.ndarray) -> None:
    """Reject outputs of a network of which some are not finite.

    Raises
    ------
    EngineError
        If there are any.
    """
    if not np.isfinite(outputs).all():
        raise EngineError("training diverged: outputs of the network are not finite. Lower learning_rate.")


class ValidationUse(Flag):
    """How an engine uses the validation rows; an ensemble may combine both uses."""

    NOTHING = 0
    # They select an epoch, or the checkpoints that are kept.
    CHOICE = auto()
    # They are trained on like the others.
    TRAINING = auto()


class Settings(Section):
    """Settings of an engine: unknown keys are rejected, so that a typo in a configuration is an error.

    A setting with an alias (``lambda`` is no name in Python) is written by its alias, and read by both.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


@dataclass(frozen=True)
class Resources:
    """What an engine receives in addition to its settings."""

    seed: int
    threads: int = 1
    # Folder of local encoder checkpoints; None takes the encoders from the hub.
    encoders: Path | None = None
    # Folder in which a long training keeps its state, to resume after an interruption; None keeps none.
    states: Path | None = None
    # Existing folder for temporary files of training; None uses the system's.
    scratch: Path | None = None
    # Facet to the checkpoint used instead: a folder, or a repository of the hub.
    checkpoints: Mapping[str, str | None] = field(default_factory=dict)
    # Folder that `pretrain` has filled for all cells of a method on a split; None if there is none.
    foundation: Path | None = None


class Engine(ABC):
    """A learner, created for one combination of facets and one objective.

    Frames are rows of the dataset table: ``mat_id``, and the columns of the facets and of the objective.
    Only engines that declare ``missing`` get rows that lack a facet; all its columns are None there.
    Subclasses implement ``learn``, ``answer``, ``write_model`` and ``read_model``; cells call the other
    methods.  `polyfacet.training.engines.contract.check_engine` tests an engine against this contract.

    Attributes
    ----------
    name
        Name in its declaration.
    facets, objective
        Facets and objective that it was fitted on.
    origins
        Origins of the engine and its members, as far as plug-ins declare them.
    """

    # How ``learn`` uses the rows of ``valid``; the card counts rows accordingly.  An engine that trains on
    # them must also learn without any, so that they can be predicted without having been learned.
    validation_use: ValidationUse = ValidationUse.NOTHING

    def __init__(self, settings: Any, resources: Resources, name: str = "") -> None:
        self.name = name
        self.settings = settings
        self.resources = resources
        self.facets: tuple[Facet, ...] = ()
        self.origins: tuple[Origin, ...] = ()
        self._objective: Objective | None = None

    @classmethod
    def represent(
        cls,
        settings: Any,
        rows: pd.DataFrame,
        views: Sequence[Sequence[Facet]],
        folder: Path,
        untrained_seed: int | None = None,
    ) -> list[np.ndarray]:
        """Represent rows so that materials can be compared, whichever of their facets are seen.

        Only engines that declare ``represents`` have such representations.

        Parameters
        ----------
        settings
            Settings of the method.
        rows
            Rows of the dataset table.
        views
            Facets that are seen together.
        folder
            The foundation.
        untrained_seed
            Seed of a foundation that was not trained, for comparison; None for the trained one.

        Returns
        -------
        list
            For each view numbers of length 1, shape ``(rows, numbers)``, the same number for all views; NaN
            for rows that have none of its facets.
        """
        raise NotImplementedError

    def unfitted(self) -> "Engine":
        """Return a new engine with the same settings and resources, not fitted yet."""
        return type(self)(self.settings, self.resources, self.name)

    @property
    def objective(self) -> Objective:
        """Objective that the engine was fitted to predict.

        Raises
        ------
        RuntimeError
            If the engine is not fitted yet.
        """
        if self._objective is None:
            raise RuntimeError("call fit() or load() before predict() or save()")
        return self._objective

    def fit(
        self, train: pd.DataFrame, valid: pd.DataFrame, facets: Sequence[Facet], objective: Objective
    ) -> None:
        """Learn from ``train``; use ``valid`` to select, or learn from it too.

        Raises
        ------
        EngineError
            If these data cannot be learned from, or training diverges.  Any other failure, such
            as insufficient memory or a missing file, is raised unchanged and fails the job.
        """
        self.facets, self._objective = tuple(facets), None
        self.learn(train, valid, objective)
        self._objective = objective

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row.

        Returns
        -------
        numpy.ndarray
            Shape ``(len(frame),)``: numbers in the unit of the objective, or names of classes (dtype object).

        Raises
        ------
        RuntimeError
            If it has not been fitted, or does not return one answer per row.
        """
        kind = object if self.objective.classes else np.float64
        values = np.asarray(self.answer(frame)).astype(kind)
        if values.shape != (len(frame),):
            raise RuntimeError(f"{len(frame)} rows went in, predictions of shape {values.shape} came out")
        return values

    def save(self, folder: Path) -> None:
        """Save the model atomically; the folder may be moved.

        `polyfacet.training.engines.creation.load` reads it.
        """
        identity = {
            "engine": self.name,
            "settings": self.settings.model_dump(mode="json"),
            "seed": self.resources.seed,
            "facets": [facet.name for facet in self.facets],
            "objective": self.objective.learned,
            "plugins": [asdict(origin) for origin in (*self.origins, *self._origins_of_facets())],
        }
        with atomic_path(folder) as part:
            part.mkdir()
            self.write_model(part)
            (part / ENGINE_FILE).write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")

    def _origins_of_facets(self) -> tuple[Origin, ...]:
        return FACETS.origins_of(facet.base for facet in self.facets)

    def restore(self, folder: Path, facets: Sequence[Facet], objective: Objective) -> None:
        """Restore the engine that saved its model in a folder."""
        self.facets = tuple(facets)
        self.read_model(folder)
        self._objective = objective

    @abstractmethod
    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Implement `fit`; ``facets`` are the facets to use."""

    @abstractmethod
    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Implement `predict`."""

    @abstractmethod
    def write_model(self, folder: Path) -> None:
        """Write what was learned into an empty folder."""

    @abstractmethod
    def read_model(self, folder: Path) -> None:
        """Read what `write_model` has written; ``facets`` are already set."""

    def describe(self) -> dict[str, Any]:
        """Return the resolved settings, with defaults: enough to repeat the training."""
        return dict(self.settings.model_dump(mode="json"))

    def course(self) -> Course | None:
        """Return how the training went; None if it has no epochs, or is not recorded."""
        return None

    def encoder_identities(self) -> dict[str, str]:
        """Return the initial encoder of each facet, by digest or revision; empty without encoders."""
        return {}

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
        """Fill an empty folder with the foundation that all cells of a method on a split share.

        Called once per split if the engine's declaration says so; cells find the folder in
        ``resources.foundation``.  The same rows, settings and seed must make the same files.

        Parameters
        ----------
        settings
            Those of the method.
        rows
            Training rows with all facets of the method, with the columns that cells see; with at least one
            of its facets if the engine declares ``missing``.  If its foundation learns, also the column of
            each objective, missing where the value is unknown, and ``group``: rows that choose an epoch are
            held out of these rows by group (`polyfacet.networks.held_out.hold_out`).
        facets
            All facets that the method uses.
        objectives
            The objectives of the method on this split; empty unless the foundation learns.
        folder
            Output.
        resources
            Seed, threads, encoders, and a folder for the state of the training.

        Raises
        ------
        EngineError
            If these data cannot be learned from, or training diverges: all cells of the method then fail.
        """
        raise NotImplementedError(f"{cls.__name__} declares a foundation but has no pretrain()")

    @classmethod
    def pretrain_streaming(
        cls,
        settings: Any,
        rows: TrainingRows,
        facets: Sequence[Facet],
        objectives: Sequence[Objective],
        folder: Path,
        resources: Resources,
    ) -> None:
        """Do what `pretrain` does, with rows that need not be in memory together; by default, they are.

        There may be no rows.
        """
        together = rows.together()
        if together.empty:
            raise EngineError(f"no training row has the facets {combination_name(facets)}")
        cls.pretrain(settings, together, facets, objectives, folder, resources)


class ProbabilisticEngine(Engine):
    """An engine that predicts class probabilities."""

    @property
    def has_probabilities(self) -> bool:
        """Whether `predict_probabilities` of the fitted engine returns more than votes of 1 or 0.

        Votes can be averaged, but are not reported as probabilities.
        """
        return True

    @abstractmethod
    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class of the objective, shape ``(len(frame), classes)``.

        They add up to 1, and `predict` returns the class with the highest.
        """
