"""What an engine is: something that learns an objective from facets and predicts it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Flag, auto
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.config.section import Section
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.plugins import Origin

# What a saved model says of itself.
ENGINE_FILE = "engine.json"


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
    # Existing folder for what an engine writes while it learns; None takes the system's.
    scratch: Path | None = None
    # Facet to the checkpoint that it takes instead: a folder, or a repository of the hub.
    checkpoints: Mapping[str, str | None] = field(default_factory=dict)
    # Folder that `pretrain` has filled for all cells of a method on a split; None where there is none.
    foundation: Path | None = None


class Engine(ABC):
    """A way to learn; made for one combination of facets and one objective.

    Frames are rows of the dataset table: ``mat_id``, the columns of the facets and of what is predicted.
    Subclasses implement ``learn``, ``answer``, ``write_model`` and ``read_model``; what cells call is the
    rest.  `polyfacet.training.engines.contract.check_engine` tests an engine against this contract.

    Attributes
    ----------
    name
        Name by which it is declared.
    facets, objective
        What it was fitted on.
    origins
        Where it and its members come from, as far as plug-ins declare them.
    """

    # What ``learn`` does with the rows of ``valid``; the card counts rows by it.
    validation_use: ValidationUse = ValidationUse.NOTHING

    def __init__(self, settings: Any, resources: Resources, name: str = "") -> None:
        self.name = name
        self.settings = settings
        self.resources = resources
        self.facets: tuple[Facet, ...] = ()
        self.origins: tuple[Origin, ...] = ()
        self._objective: Objective | None = None

    @property
    def objective(self) -> Objective:
        """What it was fitted to predict.

        Raises
        ------
        RuntimeError
            If it was not fitted yet.
        """
        if self._objective is None:
            raise RuntimeError("fit() or load() comes before predict() and save()")
        return self._objective

    def fit(
        self, train: pd.DataFrame, valid: pd.DataFrame, facets: Sequence[Facet], objective: Objective
    ) -> None:
        """Learn from ``train``; choose by ``valid`` or learn from it too.

        Raises
        ------
        EngineError
            If these data cannot be learned from, or training diverges.  Anything else that goes wrong, such
            as memory that does not suffice or a file that is missing, is raised as it is: the job fails.
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
            If it has not been fitted, or does not give one answer per row.
        """
        kind = object if self.objective.classes else np.float64
        values = np.asarray(self.answer(frame)).astype(kind)
        if values.shape != (len(frame),):
            raise RuntimeError(f"{len(frame)} rows went in, predictions of shape {values.shape} came out")
        return values

    def save(self, folder: Path) -> None:
        """Save the model; the folder appears whole or not at all, and may be moved.

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
        """Take the place of the engine that has saved its model in a folder."""
        self.facets = tuple(facets)
        self.read_model(folder)
        self._objective = objective

    @abstractmethod
    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Do what `fit` promises; ``facets`` says what to look at."""

    @abstractmethod
    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Do what `predict` promises."""

    @abstractmethod
    def write_model(self, folder: Path) -> None:
        """Write what was learned into an empty folder."""

    @abstractmethod
    def read_model(self, folder: Path) -> None:
        """Read what `write_model` has written; ``facets`` are there already."""

    def describe(self) -> dict[str, Any]:
        """Return the settings as resolved, with defaults: what is needed to train the same again."""
        return dict(self.settings.model_dump())

    def encoder_identities(self) -> dict[str, str]:
        """Say what encoder of each facet training started from, by digest or revision; empty without any."""
        return {}

    @classmethod
    def pretrain(
        cls, settings: Any, rows: pd.DataFrame, facets: Sequence[Facet], folder: Path, resources: Resources
    ) -> None:
        """Fill an empty folder with what all cells of a method on a split share: their foundation.

        Called once for each split where the engine's declaration says so; cells find the folder in
        ``resources.foundation``.

        Parameters
        ----------
        settings
            Those of the method.
        rows
            Training rows with all facets of the method, without what is predicted.
        facets
            All facets that the method looks at.
        folder
            Output.
        resources
            Seed, threads and encoders.
        """
        raise NotImplementedError(f"{cls.__name__} declares a foundation and has no pretrain()")


class ProbabilisticEngine(Engine):
    """An engine that knows how sure it is of a class."""

    @property
    def has_probabilities(self) -> bool:
        """Whether `predict_probabilities` of the fitted engine are more than votes, which are 1 or 0.

        Votes can be averaged, and are no probabilities to report.
        """
        return True

    @abstractmethod
    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class of the objective, shape ``(len(frame), classes)``.

        They add up to 1, and `predict` gives the class of the highest.
        """
