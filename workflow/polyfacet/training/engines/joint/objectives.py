"""The objectives of a network: numbers on a common scale, and classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from polyfacet.materials.objectives import Objective
from polyfacet.networks.target_scale import TargetScale
from polyfacet.training.engines.joint.losses import UNKNOWN
from polyfacet.training.engines.numeric_facets import Array


@dataclass(frozen=True, eq=False)
class LearnedObjectives:
    """What a network predicts.

    Attributes
    ----------
    numbers
        Columns of the numeric objectives.
    scale
        Their scale.
    classes
        Column of each other objective to its classes.
    """

    numbers: tuple[str, ...]
    scale: TargetScale
    classes: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, objectives: Sequence[Objective], rows: pd.DataFrame) -> Self:
        """Fit the scale of the numbers on training rows; one class alone cannot be learned."""
        numbers = tuple(each.column for each in objectives if not each.classes)
        with_classes = [each for each in objectives if each.classes]
        classes = {each.column: each.classes for each in with_classes if rows[each.column].nunique() > 1}
        return cls(numbers, TargetScale.fit(values_of(rows, numbers)), classes)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Restore them from their record."""
        centre, spread = (np.array(record[name], dtype=np.float64) for name in ("centre", "spread"))
        scale = TargetScale(centre, spread, np.array(record["learnable"], dtype=bool))
        classes = {name: tuple(each) for name, each in record["classes"].items()}
        return cls(tuple(record["numbers"]), scale, classes)

    def record(self) -> dict[str, Any]:
        """Return them as values that JSON can represent."""
        return {
            "numbers": list(self.numbers),
            "centre": self.scale.centre.tolist(),
            "spread": self.scale.spread.tolist(),
            "learnable": self.scale.learnable.tolist(),
            "classes": {name: list(each) for name, each in self.classes.items()},
        }

    @property
    def n_learnable(self) -> int:
        """Number of numeric objectives that can be learned."""
        return int(self.scale.learnable.sum())

    @property
    def n_classes(self) -> list[int]:
        """Number of classes of each objective with classes."""
        return [len(each) for each in self.classes.values()]

    def learned(self, objective: Objective) -> bool:
        """Return whether the network has learned an objective."""
        if objective.classes:
            return self.classes.get(objective.column) == objective.classes
        return objective.column in self.numbers and bool(
            self.scale.learnable[self.numbers.index(objective.column)]
        )

    def indices_of_classes(self, rows: pd.DataFrame) -> torch.Tensor:
        """Return the index of each row's class, -1 where unknown, shape ``(rows, objectives)``."""
        columns = [
            rows[name].map({label: index for index, label in enumerate(labels)}).fillna(UNKNOWN)
            for name, labels in self.classes.items()
        ]
        found = np.array([column.to_numpy(np.int64) for column in columns], dtype=np.int64)
        return torch.from_numpy(found.reshape(len(self.classes), len(rows)).T.copy())


def values_of(rows: pd.DataFrame, columns: Sequence[str]) -> Array:
    """Return numbers in their units, shape ``(rows, columns)``; NaN where unknown."""
    return rows[list(columns)].to_numpy(np.float64).reshape(len(rows), len(columns))
