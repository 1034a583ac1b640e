"""The part of the contract of engines about foundations, which all cells of a method share."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.files import sha256_of_folder
from polyfacet.splits.parts import TRAIN
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.broken_contract import demand
from polyfacet.training.engines.creation import engine_class
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.seen_rows import rows_of_foundation

# One of so many values of each objective is unknown to a foundation.
UNKNOWN_ONE_IN = 5


@dataclass(frozen=True)
class FoundationCheck:
    """What foundations are made from.

    Attributes
    ----------
    rows
        Rows to train on.
    objectives
        All objectives of the check, those of the method.
    folder
        Existing folder for the foundations.
    """

    declared: EngineDeclaration
    settings: Mapping[str, Any]
    rows: pd.DataFrame
    facets: Sequence[Facet]
    objectives: Sequence[Objective]
    folder: Path
    resources: Resources

    def checked(self) -> Resources:
        """Make a foundation, and check that the same seed makes the same, and that it learns as declared.

        Returns
        -------
        Resources
            With the folder of the foundation.
        """
        first = self._make("foundation", self.rows)
        digest = sha256_of_folder(first)
        again = self._make("same_foundation", self.rows)
        self._demand(sha256_of_folder(again) == digest, "the same seed makes another foundation")
        if self.declared.foundation_learns:
            rolled = self.rows.assign(
                **{each.column: np.roll(self.rows[each.column], 1) for each in self.objectives}
            )
            taught = self._make("other_answers", rolled)
            self._demand(
                sha256_of_folder(taught) != digest,
                "it declares that its foundation learns from objectives, but they change nothing",
            )
        return replace(self.resources, foundation=first)

    def made_from(self, rows: pd.DataFrame, name: str) -> Resources:
        """Return resources with a foundation that is made from other rows."""
        return replace(self.resources, foundation=self._make(name, rows))

    def _make(self, name: str, rows: pd.DataFrame) -> Path:
        home, states, scratch = (self.folder / f"{name}{suffix}" for suffix in ("", ".states", ".scratch"))
        for each in (home, scratch):
            each.mkdir()
        learned = self.objectives if self.declared.foundation_learns else ()
        own = _with_unknown_answers(rows, learned)
        named = own.assign(part=TRAIN, group=own["mat_id"])
        if "facets" not in named:
            named["facets"] = [[facet.name for facet in self.facets]] * len(named)
        given = rows_of_foundation(named, self.facets, learned, missing=self.declared.missing)
        resources = replace(self.resources, states=states, scratch=scratch)
        settings = self.declared.settings(**self.settings)
        engine_class(self.declared.name).pretrain(settings, given, self.facets, learned, home, resources)
        self._demand(any(home.rglob("*")), "pretrain() leaves its folder empty")
        # Nothing but the foundation itself reaches cells.
        for each in (states, scratch):
            shutil.rmtree(each, ignore_errors=True)
        return home

    def _demand(self, holds: bool, what: str) -> None:
        demand(holds, self.declared.name, what)


def _with_unknown_answers(rows: pd.DataFrame, objectives: Sequence[Objective]) -> pd.DataFrame:
    """Remove some values of each objective, others for each."""
    changed = {}
    for number, objective in enumerate(objectives):
        is_unknown = np.arange(len(rows)) % UNKNOWN_ONE_IN == number % UNKNOWN_ONE_IN
        changed[objective.column] = rows[objective.column].mask(is_unknown)
    return rows.assign(**changed)
