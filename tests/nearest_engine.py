"""A plug-in for tests: valid engines, from which faulty ones are derived, and some with misplaced models."""

import json
import os
import tempfile
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import GRAPH
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import ProbabilisticEngine, Resources, Settings, ValidationUse
from polyfacet.training.engines.declaration import EngineDeclaration

# Variable with the path where `InAFile` stores its model; ``{temporary}`` is the folder of temporary files.
KEPT_IN = "NEAREST_ENGINE_KEPT_IN"


class Use(Enum):
    """Rows that are looked at."""

    ALL = "all"
    FEW = "few"


class OwnSettings(Settings):
    """Settings of the made-up engines."""

    k: int = 1
    reach: float = Field(default=1.0, alias="lambda")
    file: Path = Path("nearest")
    use: Use = Use.ALL
    among: set[str] = Field(default={"b", "a", "c"})


class Nearest(ProbabilisticEngine):
    """Answers with the target of the nearest training row."""

    _known: np.ndarray
    _answers: np.ndarray

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        self._known = np.stack(train["graph"])
        self._answers = train[objective.column].to_numpy()

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        distances = np.linalg.norm(np.stack(frame["graph"])[:, None] - self._known, axis=2)
        return self._answers[distances.argmin(axis=1)]

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        names = np.array(self.objective.classes, dtype=object)
        return (self.answer(frame)[:, None] == names).astype(float)

    def write_model(self, folder: Path) -> None:
        self.write_to(folder / "nearest.json")

    def read_model(self, folder: Path) -> None:
        self.read_from(folder / "nearest.json")

    def write_to(self, path: Path) -> None:
        content = {"known": self._known.tolist(), "answers": self._answers.tolist()}
        path.write_text(json.dumps(content))

    def read_from(self, path: Path) -> None:
        content = json.loads(path.read_text())
        self._known = np.array(content["known"])
        self._answers = np.array(content["answers"], dtype=object)


class Founded(Nearest):
    """Needs its foundation."""

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
        assert "strength" not in rows
        assert not objectives
        np.save(folder / "mean.npy", np.stack(rows["graph"]).mean(axis=0))

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        assert self.resources.foundation is not None
        assert (self.resources.foundation / "mean.npy").is_file()
        super().learn(train, valid, objective)


class InMemory(Nearest):
    """Keeps the model in its class."""

    kept: ClassVar[dict[str, Any]] = {}

    def write_model(self, folder: Path) -> None:
        self.kept["rows"] = self._known, self._answers

    def read_model(self, folder: Path) -> None:
        self._known, self._answers = self.kept["rows"]


def _kept_in() -> Path:
    return Path(os.environ[KEPT_IN].format(temporary=tempfile.gettempdir()))


class InAFile(Nearest):
    """Keeps the model in a file outside its folder."""

    def write_model(self, folder: Path) -> None:
        self.write_to(_kept_in())

    def read_model(self, folder: Path) -> None:
        self.read_from(_kept_in())


class Choosing(Nearest):
    """Chooses one of several constant answers by the validation rows; one of them has diverged."""

    validation_use = ValidationUse.CHOICE

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        super().learn(train, valid, objective)
        if not objective.classes:
            answers = train[objective.column]
            candidates = [answers.min(), answers.mean(), answers.max(), 1e12]
            errors = [(valid[objective.column] - each).abs().mean() for each in candidates]
            self._answers = np.full(len(train), candidates[int(np.argmin(errors))])


def _declared(name: str, engine: type[Nearest], *, foundation: bool = False) -> EngineDeclaration:
    return EngineDeclaration(
        name,
        OwnSettings,
        engine,
        looks_at=lambda facet: facet == GRAPH,
        cost=Cost(mb=1),
        classes=True,
        probabilities=True,
        foundation=foundation,
    )


NEAREST = _declared("nearest", Nearest)
FOUNDED = _declared("founded", Founded, foundation=True)
IN_MEMORY = _declared("in_memory", InMemory)
IN_A_FILE = _declared("in_a_file", InAFile)
CHOOSING = _declared("choosing", Choosing)
