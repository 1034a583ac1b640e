"""Draw a sample that depends only on seed and materials, and contains every smaller sample of its seed.

Each material has a rank, a hash of seed and identifier; a sample of n is the n lowest ranks.  Neither the
order of the entries nor their distribution over files matters.  A rank identifies a material: the probability
that two of five million share one is below 1e-6.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from polyfacet.materials.disordered_compositions import KnownCompositions
from polyfacet.materials.material import Material
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.sources.strata import Strata

MAX_RANK = 2**64 - 1


@dataclass(frozen=True)
class Filters:
    """Conditions that a material must meet to be sampled; None and empty sets accept everything."""

    elements_allowed: frozenset[str] = frozenset()
    elements_required: frozenset[str] = frozenset()
    elements_excluded: frozenset[str] = frozenset()
    sites_min: int = 1
    sites_max: int | None = None
    e_hull_max: float | None = None
    space_groups: frozenset[int] = frozenset()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Create filters from a configuration, which has lists in place of sets."""
        fields: dict[str, Any] = {
            name: frozenset(value) if isinstance(value, Sequence) else value
            for name, value in settings.items()
        }
        return cls(**fields)

    def failed_by(self, material: Material) -> str | None:
        """Return the name of the first filter that the material does not pass; None if it passes all."""
        e_hull = material.objectives.get("e_hull", material.hull_distance)
        checks = {
            "elements_allowed": not self.elements_allowed or material.elements <= self.elements_allowed,
            "elements_required": self.elements_required <= material.elements,
            "elements_excluded": not self.elements_excluded & material.elements,
            "sites_min": material.n_sites >= self.sites_min,
            "sites_max": self.sites_max is None or material.n_sites <= self.sites_max,
            "e_hull_max": self.e_hull_max is None or _is_at_most(e_hull, self.e_hull_max),
            "space_groups": not self.space_groups or material.space_group in self.space_groups,
        }
        return next((name for name, passed in checks.items() if not passed), None)


def _is_at_most(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


@dataclass(frozen=True)
class Draw:
    """Parameters by which a sample is drawn.

    Parameters
    ----------
    n_materials
        Size of the sample; None for all materials.
    seed
        Samples of one seed are nested.
    filters
        Which materials may be drawn.
    drawn_ids, drawn_compositions
        Identifiers and compositions of an earlier sample; materials with either are not drawn.
    strata
        How the draw is stratified; None for a random one.
    """

    n_materials: int | None
    seed: int
    filters: Filters = Filters()
    drawn_ids: frozenset[str] = frozenset()
    drawn_compositions: KnownCompositions = field(default_factory=KnownCompositions)
    strata: Strata | None = None

    def rank(self, mat_id: str) -> int:
        """Return the place of a material in the order in which samples of this seed grow, as 64 bits."""
        return stable_hash("sample", self.seed, mat_id)

    def leaves_out(self, material: Material) -> str | None:
        """Return why a valid material cannot be drawn; None if it can."""
        failed = self.filters.failed_by(material)
        if failed:
            return f"filtered by {failed}"
        if material.mat_id in self.drawn_ids:
            return "in the sample"
        if self.drawn_compositions.hold(material.formula, material.n_sites):
            return "formula in the sample"
        return None

    def value_of(self, material: Material) -> float:
        """Return the value by which the draw is stratified; NaN if it is unknown or does not matter."""
        value = self.strata.value_of(material) if self.strata else None
        return math.nan if value is None else value

    def last_rank(self, distinct_ranks: npt.NDArray[np.uint64]) -> int:
        """Return the highest rank that may be sampled, given distinct ranks so far in ascending order."""
        if self.n_materials is None or len(distinct_ranks) <= self.n_materials or self.strata:
            return MAX_RANK
        return int(distinct_ranks[self.n_materials - 1])

    def chosen(
        self, distinct_ranks: npt.NDArray[np.uint64], values: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.uint64]:
        """Return the ranks of the sample in ascending order.

        Parameters
        ----------
        distinct_ranks
            All distinct ranks in ascending order, shape ``(N,)``.
        values
            The value of each, NaN if it is unknown, shape ``(N,)``; only used by a stratified draw.
        """
        if self.strata is None or self.n_materials is None:
            return distinct_ranks[: self.n_materials]
        return np.sort(distinct_ranks[self.strata.order(distinct_ranks, values)[: self.n_materials]])
