"""The parts of a blend: a member on one combination of facets each."""

from collections.abc import Sequence
from dataclasses import dataclass

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facets_of
from polyfacet.training.engines.blend.settings import BlendMember, Of


@dataclass(frozen=True)
class Part:
    """A member on one combination of facets."""

    method: str
    combination: str

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The facets that it looks at."""
        return facets_of(self.combination)

    def __str__(self) -> str:
        return f"{self.method}/{self.combination}"


def parts_of(facets: Sequence[Facet], members: Sequence[BlendMember], of: Of) -> list[Part]:
    """Return the parts that a blend of a combination of facets averages.

    Parameters
    ----------
    facets
        Those of the combination.
    members
        Members, with the combinations that they are trained on.
    of
        See `polyfacet.training.engines.blend.settings.BlendSettings`.
    """
    available = set(facets)
    parts = [Part(member.method, name) for member in members for name in member.combinations]
    within = [part for part in parts if available.issuperset(part.facets)]
    if of == "subsets":
        return within
    seen = [set(part.facets) for part in within]
    return [part for part in within if not any(smaller < set(part.facets) for smaller in seen)]


def facets_without_part(facets: Sequence[Facet], parts: Sequence[Part]) -> list[Facet]:
    """List the facets that no part looks at: a blend without them would not be one of the combination."""
    seen = {facet for part in parts for facet in part.facets}
    return [facet for facet in facets if facet not in seen]
