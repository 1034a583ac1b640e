"""The facets of a material, and their combinations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations


@dataclass(frozen=True)
class FacetFacts:
    """What tables, engines and checks need to know of a facet."""

    label: str
    column: str
    # Whether it shows the lattice, from which some targets can be read off (see ``targets``); some forms of
    # the text do as well (see ``text_variants``).
    shows_structure: bool


class Facet(Enum):
    """A way to look at a material; the member's value is its name in configs, files and combinations."""

    TEXT = "text"
    IMAGE = "image"
    TABULAR = "tabular"
    COMPIMAGE = "compimage"

    @property
    def facts(self) -> FacetFacts:
        """Label, dataset column and what it shows."""
        return _FACTS[self]


_FACTS = {
    Facet.TEXT: FacetFacts("text", "text", shows_structure=False),
    Facet.IMAGE: FacetFacts("structure picture", "image", shows_structure=True),
    Facet.TABULAR: FacetFacts("PotNet embedding", "embedding", shows_structure=True),
    Facet.COMPIMAGE: FacetFacts("composition image", "compimage", shows_structure=False),
}

PICTURE_FACETS = (Facet.IMAGE, Facet.COMPIMAGE)
# Numbers in themselves, the pixels of a composition image as well: no encoder is needed to look at them.
NUMERIC_FACETS = (Facet.TABULAR, Facet.COMPIMAGE)
DIGEST_SUFFIX = "_sha256"
STUDY_FACETS = (Facet.TEXT, Facet.IMAGE, Facet.TABULAR)
SEPARATOR = "+"


def facet_columns(facet: Facet, columns: Iterable[str]) -> list[str]:
    """Name the columns of a table that belong to a facet, digests of its pictures among them."""
    name = facet.facts.column
    return [column for column in columns if column == name or column.startswith(f"{name}_")]


def picture_columns(facet: Facet, columns: Iterable[str]) -> list[str]:
    """Name the columns of a table that hold a facet's pictures: ``image``, or ``image_a`` and more views."""
    return [column for column in facet_columns(facet, columns) if not column.endswith(DIGEST_SUFFIX)]


def structure_picture_columns(views: Sequence[str], arrangement: str) -> list[str]:
    """Name the columns of the structures' pictures: ``image``, or one for each view that stays single."""
    name = Facet.IMAGE.facts.column
    return [name] if len(views) == 1 or arrangement == "montage" else [f"{name}_{view}" for view in views]


def combination_name(facets: Sequence[Facet]) -> str:
    """Name a combination: its facets in the order of ``Facet``, joined by ``+``."""
    return SEPARATOR.join(facet.value for facet in Facet if facet in facets)


def facets_of(combination: str) -> tuple[Facet, ...]:
    """Give the facets of a named combination.

    Raises
    ------
    ValueError
        If a facet is unknown, named twice, or out of order (a combination has one name).
    """
    facets = tuple(Facet(part) for part in combination.split(SEPARATOR))
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
    """Give the combinations of a config's choice: ``paper`` (7), ``full`` (15) or a list of names."""
    if choice == "paper":
        return all_combinations(STUDY_FACETS)
    if choice == "full":
        return all_combinations(tuple(Facet))
    return [combination_name(facets_of(name)) for name in choice]
