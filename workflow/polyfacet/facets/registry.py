"""The facets of a material, and their combinations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import Literal

Kind = Literal["text", "image", "vector"]


@dataclass(frozen=True)
class FacetFacts:
    """What tables, engines and checks need to know of a facet.

    Attributes
    ----------
    label
        Name in tables and figures.
    kind
        What a model gets to see: a text, a picture (path of a PNG), or a vector of numbers.
    shows_structure
        Whether it shows the lattice, from which some objectives can be read off (see
        ``materials.crystal_objectives``); some forms of the text do as well (see ``facets.text.variants``).
    is_numeric
        Whether it is numbers in itself, the pixels of a composition image as well: no encoder is needed.
    """

    label: str
    kind: Kind
    shows_structure: bool = False
    is_numeric: bool = False


class Facet(Enum):
    """A way to look at a material; the member's value is its name in configs, combinations and columns."""

    TEXT = "text"
    IMAGE = "image"
    GRAPH = "graph"
    COMPOSITION = "composition"
    PROCESS = "process"
    COMPIMAGE = "compimage"

    @property
    def facts(self) -> FacetFacts:
        """Label, kind and what it shows."""
        return _FACTS[self]


_FACTS = {
    Facet.TEXT: FacetFacts("text", "text"),
    Facet.IMAGE: FacetFacts("structure picture", "image", shows_structure=True),
    Facet.GRAPH: FacetFacts("graph embedding", "vector", shows_structure=True, is_numeric=True),
    Facet.COMPOSITION: FacetFacts("amounts of the elements", "vector", is_numeric=True),
    Facet.PROCESS: FacetFacts("process conditions", "vector", is_numeric=True),
    Facet.COMPIMAGE: FacetFacts("composition image", "image", is_numeric=True),
}

PICTURE_FACETS = tuple(facet for facet in Facet if facet.facts.kind == "image")
VECTOR_FACETS = tuple(facet for facet in Facet if facet.facts.kind == "vector")
NUMERIC_FACETS = tuple(facet for facet in Facet if facet.facts.is_numeric)
DIGEST_SUFFIX = "_sha256"
# Of crystals; those of tables depend on their columns.
CRYSTAL_FACETS = (Facet.TEXT, Facet.IMAGE, Facet.GRAPH, Facet.COMPIMAGE)
# Costa (2024).
PAPER_FACETS = (Facet.TEXT, Facet.IMAGE, Facet.GRAPH)
SEPARATOR = "+"


def facet_columns(facet: Facet, columns: Iterable[str]) -> list[str]:
    """Name the columns of a table that belong to a facet, digests of its pictures among them."""
    name = facet.value
    return [column for column in columns if column == name or column.startswith(f"{name}_")]


def picture_columns(facet: Facet, columns: Iterable[str]) -> list[str]:
    """Name the columns of a table that hold a facet's pictures: ``image``, or ``image_a`` and more views."""
    return [column for column in facet_columns(facet, columns) if not column.endswith(DIGEST_SUFFIX)]


def structure_picture_columns(views: Sequence[str], arrangement: str) -> list[str]:
    """Name the columns of the structures' pictures: ``image``, or one for each view that stays single."""
    name = Facet.IMAGE.value
    return [name] if len(views) == 1 or arrangement == "montage" else [f"{name}_{view}" for view in views]


def combination_name(facets: Sequence[Facet]) -> str:
    """Name a combination: its facets in the order of ``Facet``, joined by ``+``."""
    return SEPARATOR.join(facet.value for facet in Facet if facet in facets)


def facets_of(combination: str) -> tuple[Facet, ...]:
    """Return the facets of a named combination.

    Raises
    ------
    ValueError
        If a facet is unknown, named twice, or out of order (a combination has one name).
    """
    known = {facet.value: facet for facet in Facet}
    unknown = [part for part in combination.split(SEPARATOR) if part not in known]
    if unknown:
        raise ValueError(f"there is no facet {unknown[0]!r}; there are: {', '.join(known)}")
    facets = tuple(known[part] for part in combination.split(SEPARATOR))
    if combination_name(facets) != combination:
        raise ValueError(f"combination {combination!r} must be written {combination_name(facets)!r}")
    return facets


def all_combinations(facets: Sequence[Facet]) -> list[str]:
    """Name every non-empty subset of the facets, small ones first."""
    return [
        combination_name(subset)
        for size in range(1, len(facets) + 1)
        for subset in combinations(facets, size)
    ]


def grid(choice: str | Sequence[str]) -> list[str]:
    """Return the combinations of a choice: ``paper`` (7), ``full`` (15) or a list of names."""
    if choice == "paper":
        return all_combinations(PAPER_FACETS)
    if choice == "full":
        return all_combinations(CRYSTAL_FACETS)
    return [combination_name(facets_of(name)) for name in choice]
