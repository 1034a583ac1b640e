"""The registry of facets, and combinations of facets."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from polyfacet.facets.columns.declaration import COMPOSITION, MICROSTRUCTURE, PROCESS
from polyfacet.facets.compimage.declaration import COMPIMAGE
from polyfacet.facets.declaration import FORM_SEPARATOR, Facet
from polyfacet.facets.descriptors.declaration import DESCRIPTORS
from polyfacet.facets.graph.declaration import GRAPH
from polyfacet.facets.image.declaration import IMAGE
from polyfacet.facets.text.declaration import TEXT
from polyfacet.facets.xrd.declaration import XRD
from polyfacet.runtime.plugins import Registry

# In the order in which combinations list them.
FACETS = Registry(
    "facet", Facet, (TEXT, IMAGE, GRAPH, COMPOSITION, PROCESS, MICROSTRUCTURE, COMPIMAGE, DESCRIPTORS, XRD)
)
# The facets of Costa (2024).
PAPER_FACETS = (TEXT, IMAGE, GRAPH)
FULL_FACETS = (*PAPER_FACETS, COMPIMAGE)
# All subsets of which make a set of combinations.
FACETS_OF_SETS: Mapping[str, Sequence[Facet]] = {"paper": PAPER_FACETS, "full": FULL_FACETS}
DIGEST_SUFFIX = "_sha256"
# Of the column with the frozen encoding of a facet.
ENCODING_SUFFIX = "_encoding"
SEPARATOR = "+"


def facet_named(name: str) -> Facet:
    """Return a facet, or a variant of one (``text:cif``), by name.

    Raises
    ------
    ValueError
        If the facet does not exist, or has no such form.
    """
    base, _, form = name.partition(FORM_SEPARATOR)
    known = FACETS.all()
    if base not in known:
        raise ValueError(f"there is no facet {base!r}; there are: {', '.join(known)}")
    return known[base].variant(form) if FORM_SEPARATOR in name else known[base]


def files_of_makers(names: Iterable[str]) -> tuple[Path, ...]:
    """Return the files that make facets, as far as no script imports them by name, for digests of code.

    Parameters
    ----------
    names
        Names of facets.
    """
    facets = in_order(map(facet_named, names))
    own = [facet.file for facet in facets if facet.file]
    return tuple(dict.fromkeys([*own, *FACETS.files_of({facet.base for facet in facets})]))


def in_order(facets: Iterable[Facet]) -> list[Facet]:
    """Return the distinct facets in the order of the registry."""
    order = {name: i for i, name in enumerate(FACETS.all())}
    return sorted(set(facets), key=lambda facet: (order[facet.base], facet.form))


def shown_columns(facet: Facet, columns: Iterable[str]) -> list[str]:
    """Return the columns of a dataset that show a facet: one, or one per view (``image_a``, ...)."""
    return [column for column in columns if column == facet.name or _is_view(column, facet)]


def _is_view(column: str, facet: Facet) -> bool:
    is_of_pictures = facet.kind == "image" and column.startswith(f"{facet.name}_")
    return is_of_pictures and not column.endswith((DIGEST_SUFFIX, ENCODING_SUFFIX))


def encoding_column(facet: Facet) -> str:
    """Return the column with the frozen encoding of a facet."""
    return f"{facet.name}{ENCODING_SUFFIX}"


def crystal_column(facet: Facet) -> str:
    """Return the column with the crystal graph that the vector of a facet is made from.

    Only ``graph`` has it, for engines that train a network on it.
    """
    return f"{facet.name}_crystal"


def structure_picture_columns(views: Sequence[str], arrangement: str) -> list[str]:
    """Return the columns of structure pictures: ``image``, or one per view unless they form a montage."""
    name = IMAGE.name
    return [name] if len(views) == 1 or arrangement == "montage" else [f"{name}_{view}" for view in views]


def combination_name(facets: Iterable[Facet]) -> str:
    """Return the name of a combination: its facets in the order of the registry, joined by ``+``."""
    return SEPARATOR.join(facet.name for facet in in_order(facets))


def facets_of(combination: str) -> tuple[Facet, ...]:
    """Return the facets of a named combination.

    Raises
    ------
    ValueError
        If a facet is unknown, appears twice (even in two forms), or is out of order (a combination has
        exactly one name).
    """
    facets = tuple(map(facet_named, combination.split(SEPARATOR)))
    bases = [facet.base for facet in facets]
    twice = next((base for base in bases if bases.count(base) > 1), None)
    if twice and len(set(facets)) == len(facets):
        raise ValueError(f"combination {combination!r} has two forms of the facet {twice!r}; keep one")
    if combination_name(facets) != combination:
        raise ValueError(f"combination {combination!r} must be written {combination_name(facets)!r}")
    return facets


def all_combinations(facets: Sequence[Facet]) -> list[str]:
    """Return the names of all non-empty subsets of the facets, smallest first."""
    return [
        combination_name(subset)
        for size in range(1, len(facets) + 1)
        for subset in combinations(facets, size)
    ]


def grid(choice: str | Sequence[str]) -> list[str]:
    """Return the distinct combinations of a set (``paper``, ``full``) or a list of names and sets."""
    names = [choice] if isinstance(choice, str) else choice
    combinations = [
        combination
        for name in names
        for combination in (
            all_combinations(FACETS_OF_SETS[name])
            if name in FACETS_OF_SETS
            else [combination_name(facets_of(name))]
        )
    ]
    return list(dict.fromkeys(combinations))
