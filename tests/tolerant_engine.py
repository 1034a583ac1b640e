"""A plug-in for tests: lines for all objectives at once, from rows that may lack facets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import Engine, EngineError, Resources, Settings
from polyfacet.training.engines.declaration import EngineDeclaration

LINES = "lines.npz"
# Penalty of the squared weights, in standardized inputs.
RIDGE = 1.0


class Tolerant(Engine):
    """Answers with the line of its foundation, which learns all objectives from all facets of the method.

    The numbers of a missing facet are their mean.
    """

    _lines: dict[str, np.ndarray]

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
        """Fit the lines of each combination that rows of the method may have, for all objectives."""
        lines: dict[str, np.ndarray] = {}
        for facet in facets:
            known = np.stack(rows.loc[rows[facet.name].notna(), facet.name])
            lines[f"{facet.name}.mean"], lines[f"{facet.name}.std"] = known.mean(axis=0), known.std(axis=0)
        inputs = {facet.name: _scaled(rows, facet, lines) for facet in facets}
        for objective in objectives:
            is_known = rows[objective.column].notna().to_numpy()
            answers = _as_numbers(rows.loc[is_known, objective.column], objective)
            if len(answers) < 2:
                raise EngineError(f"{len(answers)} rows have a value of {objective.column}")
            lines[f"{objective.column}.offset"] = answers.mean(axis=0)
            lines |= _weights(inputs, is_known, answers - answers.mean(axis=0), objective.column)
        np.savez(folder / LINES, **lines)

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Take the line of the objective."""
        assert self.resources.foundation is not None
        names = [*(facet.name for facet in self.facets), objective.column]
        with np.load(self.resources.foundation / LINES) as stored:
            self._lines = {name: stored[name] for name in stored.files if name.split(".")[0] in names}

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict numbers, or the class with the highest value."""
        column = self.objective.column
        values = np.repeat(self._lines[f"{column}.offset"][None], len(frame), axis=0)
        for facet in self.facets:
            values += _scaled(frame, facet, self._lines) @ self._lines[f"{column}.{facet.name}"]
        if self.objective.classes:
            return np.array(self.objective.classes, dtype=object)[values.argmax(axis=1)]
        return values[:, 0]

    def write_model(self, folder: Path) -> None:
        """Write the line."""
        np.savez(folder / LINES, **self._lines)

    def read_model(self, folder: Path) -> None:
        """Read the line."""
        with np.load(folder / LINES) as stored:
            self._lines = {name: stored[name] for name in stored.files}


def _scaled(rows: pd.DataFrame, facet: Facet, lines: dict[str, np.ndarray]) -> np.ndarray:
    """Return the standardized numbers of a facet, shape (rows, numbers); 0 where it is missing."""
    mean, std = lines[f"{facet.name}.mean"], lines[f"{facet.name}.std"]
    numbers = [mean if value is None else value for value in rows[facet.name]]
    return (np.array(numbers).reshape(len(rows), len(mean)) - mean) / np.where(std > 0, std, 1.0)


def _as_numbers(answers: pd.Series, objective: Objective) -> np.ndarray:
    """Return answers as numbers, shape (rows, outputs): one output per class."""
    if objective.classes:
        return np.eye(len(objective.classes))[answers.map(objective.classes.index)]
    return answers.to_numpy(np.float64)[:, None]


def _weights(
    inputs: dict[str, np.ndarray], is_known: np.ndarray, answers: np.ndarray, column: str
) -> dict[str, np.ndarray]:
    """Fit one line on all facets, and divide its weights among them."""
    every = np.hstack([values[is_known] for values in inputs.values()])
    weights = np.linalg.solve(every.T @ every + RIDGE * np.eye(every.shape[1]), every.T @ answers)
    ends = np.cumsum([values.shape[1] for values in inputs.values()])[:-1]
    return {f"{column}.{name}": own for name, own in zip(inputs, np.split(weights, ends), strict=True)}


TOLERANT = EngineDeclaration(
    "tolerant",
    Settings,
    Tolerant,
    looks_at=lambda facet: facet.kind == "vector",
    cost=Cost(mb=300),
    classes=True,
    cheap=True,
    foundation=True,
    foundation_learns=True,
    foundation_cost=Cost(mb=300),
    missing=True,
)
