"""A draw that covers the range of an objective evenly, instead of following its distribution.

The range of all materials that may be drawn is divided into strata of equal width.  Within each, materials
are in the order of their ranks; the sample takes the first of every stratum, then the second of every stratum
that has one, and so on, in the order of ranks within each round.  So samples of one seed are nested as long
as the sources and filters are the same, and where a stratum is exhausted the others fill up.  Materials whose
value is unknown come last.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from polyfacet.config.sample import Magnetization
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES, Calculation, ObjectiveError, derive
from polyfacet.materials.material import Material
from polyfacet.materials.stated_values import has_column, number_or_none
from polyfacet.runtime.errors import UserError


@dataclass(frozen=True)
class Strata:
    """How a draw is stratified.

    Parameters
    ----------
    objective
        Name of an objective.
    column
        Column or field of the sources that the configuration names for it; None if it names none.
    strata
        Number of strata.
    magnetization
        See `polyfacet.materials.crystal_objectives.Calculation`.
    """

    objective: str
    column: str | None
    strata: int
    magnetization: Magnetization = "absolute"

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None, magnetization: Magnetization) -> Self | None:
        """Create strata from a configuration."""
        return None if settings is None else cls(**settings, magnetization=magnetization)

    def value_of(self, material: Material) -> float | None:
        """Return the value of the objective; None if it is unknown."""
        known = None if self.column else material.objectives.get(self.objective)
        if known is not None:
            return known
        data = json.loads(material.data)
        name = self.column or self.objective
        if self.column or has_column(data, name):
            return number_or_none(data, name)
        declared = CRYSTAL_OBJECTIVES.all().get(self.objective)
        if declared is None:
            return None
        sites = json.loads(material.structure)["sites"]
        n_atoms = sum(occupant["occu"] for site in sites for occupant in site["species"])
        try:
            return derive(declared, Calculation(data, n_atoms, material.volume, self.magnetization))
        except (ValueError, KeyError, ObjectiveError):
            return None

    def order(self, ranks: NDArray[np.uint64], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the order in which samples grow.

        Parameters
        ----------
        ranks
            Rank of each material, shape ``(N,)``.
        values
            Its value, NaN if it is unknown, shape ``(N,)``.

        Returns
        -------
        numpy.ndarray
            Indices of the materials, shape ``(N,)``.
        """
        stratum = self.stratum_of(values)
        order = np.lexsort((ranks, stratum))
        _, starts, counts = np.unique(stratum[order], return_index=True, return_counts=True)
        in_turn = np.empty(len(ranks), np.int64)
        in_turn[order] = np.arange(len(ranks)) - np.repeat(starts, counts)
        return np.lexsort((ranks, in_turn, stratum == self.strata))

    def stratum_of(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the stratum of each value, from 0; ``strata`` where it is unknown."""
        known = np.isfinite(values)
        stratum = np.full(len(values), self.strata, np.int64)
        if known.any():
            edges = self.edges(values)
            stratum[known] = np.clip(np.searchsorted(edges, values[known], "right") - 1, 0, self.strata - 1)
        return stratum

    def edges(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the limits of the strata, shape ``(strata + 1,)``."""
        return np.linspace(np.nanmin(values), np.nanmax(values), self.strata + 1)

    def check_known(self, table: Sequence[Mapping[str, Any]]) -> None:
        """Check that there is something to stratify by.

        Parameters
        ----------
        table
            Materials per stratum, from `table`.

        Raises
        ------
        UserError
            If no material has a value.
        """
        if all(stratum["from"] is None for stratum in table):
            what = f"the column {self.column!r}" if self.column else "an objective or a column of that name"
            raise UserError(
                f"stratify.objective is {self.objective!r}, but no material has a number for {what}. Name an "
                "objective with numbers, or remove `stratify`."
            )

    def table(self, values: NDArray[np.float64], is_sampled: NDArray[np.bool_]) -> list[dict[str, Any]]:
        """Return the number of available and of sampled materials per stratum, for JSON."""
        stratum = self.stratum_of(values)
        edges = self.edges(values).tolist() if np.isfinite(values).any() else []
        limits: list[tuple[float | None, float | None]] = [*pairwise(edges), (None, None)]
        first = self.strata + 1 - len(limits)
        return [
            {
                "from": low,
                "to": high,
                "available": int((stratum == first + i).sum()),
                "sampled": int((is_sampled & (stratum == first + i)).sum()),
            }
            for i, (low, high) in enumerate(limits)
        ]


def with_column(
    settings: Mapping[str, Any] | None, objectives: Sequence[str | Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Add the column of the objective, which the configuration's `objectives` may name, to the settings."""
    if settings is None:
        return None
    name = settings["objective"]
    own = [each for each in objectives if isinstance(each, Mapping) and each.get("name") == name]
    if any(each.get("classes") for each in own):
        raise UserError(f"stratify.objective is {name!r}, which has classes: strata are ranges of numbers.")
    return {**settings, "column": next((each.get("column") or name for each in own), None)}
