"""How methods and facets are called in tables and figures, and what is marked in their names."""

from collections.abc import Collection, Sequence

import pandas as pd

from polyfacet.facets.declaration import PretrainedNetwork
from polyfacet.facets.registry import SEPARATOR, facets_of
from polyfacet.reporting.numbers import number_range
from polyfacet.training.cells import NO_FACET

# After names of cells whose facets reveal the objective.
DAGGER = " †"
# After names of cells with a facet whose network was pretrained elsewhere, on values of the objective.
DOUBLE_DAGGER = " ‡"
PRETRAINED_LEGEND = (
    "‡ marks cells with a network that was pretrained on the objective elsewhere, perhaps on these materials."
)
# After names of facets whose encoder is untrained.
CONTROL = "untrained control"
NO_FACETS = "no facet"


def row_name(method: str, facets: str) -> str:
    """Name a method with its facets, as `facets_text` writes them."""
    return method if facets == NO_FACETS else f"{method}: {facets}"


def facets_text(combination: str, untrained: Collection[str] = ()) -> str:
    """Name a combination of facets for readers; those with an untrained encoder are called controls."""
    if combination == NO_FACET:
        return NO_FACETS
    return " + ".join(
        f"{name} ({CONTROL})" if name in untrained else name for name in combination.split(SEPARATOR)
    )


def pretrained_mark(combination: str, objective: str) -> str:
    """Return the double dagger if a facet comes from a network that was pretrained on the objective."""
    networks = pretrained_networks(combination).values()
    return DOUBLE_DAGGER if any(objective in network.learned for network in networks) else ""


def pretrained_networks(combination: str) -> dict[str, PretrainedNetwork]:
    """Return those facets of a combination that come from a network from elsewhere, with the network."""
    facets = () if combination == NO_FACET else facets_of(combination)
    return {facet.name: facet.network for facet in facets if facet.network}


def pretrained_legend(cells: pd.DataFrame) -> str:
    """Explain the double dagger; empty if it marks none of these cells."""
    pairs = cells[["combination", "objective"]].drop_duplicates()
    is_marked = any(pretrained_mark(*pair) for pair in pairs.itertuples(index=False, name=None))
    return PRETRAINED_LEGEND if is_marked else ""


def with_repeats(name: str, n: int, n_of_split: int) -> str:
    """Add the number of repeats to a name, if there are fewer than the split has."""
    return name if n >= n_of_split else f"{name} ({n} of {repeats_text(n_of_split)})"


def repeats_text(n: int | str) -> str:
    """Write a number of repeats, or a range of numbers."""
    return f"{n} repeat" if str(n) == "1" else f"{n} repeats"


def shared_repeats_text(numbers: Sequence[int] | pd.Series) -> str:
    """Name the repeats that all methods of an objective have, from their numbers for several objectives."""
    if min(numbers) == max(numbers):
        return f"the {repeats_text(number_range(numbers))} that all methods have"
    return f"the repeats that all methods of an objective have ({number_range(numbers)}, by objective)"


def untrained_controls(cells: pd.DataFrame) -> set[tuple[str, str]]:
    """Return methods and combinations that see a facet through an untrained encoder in any of these cells."""
    own = cells[cells["untrained"].map(len) > 0]
    return set(zip(own["method"], own["combination"], strict=True))
