"""A sample that depends on the seed and the materials alone, and contains every smaller sample of its seed.

Each material has a rank, a hash of seed and identifier; a sample of n is the n lowest ranks.  Neither the
order of the entries nor their spread over files matters, and one pass with n materials in memory is enough.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from polyfacet.identifiers import stable_hash
from polyfacet.materials import Material


@dataclass(frozen=True)
class Filters:
    """What a material must be like to be sampled; None and empty sets let everything pass."""

    elements_allowed: frozenset[str] = frozenset()
    elements_required: frozenset[str] = frozenset()
    elements_excluded: frozenset[str] = frozenset()
    sites_min: int = 1
    sites_max: int | None = None
    e_hull_max: float | None = None
    space_groups: frozenset[int] = frozenset()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Take the fields from a configuration, which has lists for sets."""
        fields: dict[str, Any] = {
            name: frozenset(value) if isinstance(value, Sequence) else value
            for name, value in settings.items()
        }
        return cls(**fields)

    def failed_by(self, material: Material) -> str | None:
        """Name the first filter that the material does not pass; None if it passes all."""
        checks = {
            "elements_allowed": not self.elements_allowed or material.elements <= self.elements_allowed,
            "elements_required": self.elements_required <= material.elements,
            "elements_excluded": not self.elements_excluded & material.elements,
            "sites_min": material.n_sites >= self.sites_min,
            "sites_max": self.sites_max is None or material.n_sites <= self.sites_max,
            "e_hull_max": self.e_hull_max is None or material.targets["e_hull"] <= self.e_hull_max,
            "space_groups": not self.space_groups or material.space_group in self.space_groups,
        }
        return next((name for name, passed in checks.items() if not passed), None)


@dataclass(frozen=True)
class Source:
    """Where an entry stands."""

    file: str
    position: int


@dataclass
class Sampler:
    """Collects a sample in one pass.

    Parameters
    ----------
    n_materials
        Size of the sample; None takes all.
    seed
        Samples of one seed are nested.
    """

    n_materials: int | None
    seed: int
    _kept: dict[str, tuple[Material, Source]] = field(default_factory=dict)
    _worst_first: list[tuple[int, str]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def offer(self, material: Material, source: Source) -> Source | None:
        """Consider a material.

        Returns
        -------
        Source or None
            Where it, or the one kept before it, stands if the identifier came twice: one of the two is a
            duplicate, and which one depends on their content, not on their order.
        """
        mat_id = material.mat_id
        if mat_id in self._kept:
            return self._settle_duplicate(material, source)
        fingerprint = stable_hash("seen", mat_id)
        if fingerprint in self._seen:
            return source
        self._seen.add(fingerprint)
        rank = stable_hash("sample", self.seed, mat_id)
        if self.n_materials is None or len(self._kept) < self.n_materials:
            heapq.heappush(self._worst_first, (-rank, mat_id))
            self._kept[mat_id] = (material, source)
        elif (-rank, mat_id) > self._worst_first[0]:
            _, dropped = heapq.heapreplace(self._worst_first, (-rank, mat_id))
            del self._kept[dropped]
            self._kept[mat_id] = (material, source)
        return None

    def sample(self) -> list[tuple[Material, Source]]:
        """Return what was sampled, ordered by mat_id."""
        return [self._kept[mat_id] for mat_id in sorted(self._kept)]

    def _settle_duplicate(self, material: Material, source: Source) -> Source:
        kept, kept_source = self._kept[material.mat_id]
        if _content_key(material) >= _content_key(kept):
            return source
        self._kept[material.mat_id] = (material, source)
        return kept_source


def _content_key(material: Material) -> tuple[str, str, str]:
    return material.structure, material.formula, repr(sorted(material.targets.items()))
