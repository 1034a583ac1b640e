"""Group materials of the same composition whose occupancies are rounded differently.

The formula of an ordered crystal is exact.  Shared and partly occupied sites have rounded amounts, and
`reduced_formula` spells two roundings of one composition differently if they are on opposite sides of a
boundary.  Formulas are compared within a tolerance if at least one of them is rounded.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from polyfacet.materials.formula import parse_formula
from polyfacet.materials.occupancies import OCCUPANCY_WITHIN, remainder_within
from polyfacet.materials.reduced_formula import SHARES_WITHIN

# Differences of atomic shares in one composition: three decimals, plus the error of spelling each formula.
SAME_WITHIN = 3 * SHARES_WITHIN
# The same for crystals whose occupancies count as equal in the search for twins.
TWINS_WITHIN = OCCUPANCY_WITHIN + 2 * SHARES_WITHIN
# An element whose atoms per cell are this close to a whole number, plus rounding of shares, shares no site.
WHOLE_WITHIN = 1e-3
SYMBOL = re.compile(r"[A-Z][a-z]?")


def chemical_system(formula: str) -> str:
    """Return the elements of a formula, in alphabetical order."""
    return "-".join(sorted(set(SYMBOL.findall(formula))))


def is_rounded(formula: str, n_sites: int) -> bool:
    """Return whether a formula may be rounded: its atoms do not fill ``n_sites`` sites exactly."""
    amounts = _amounts(formula)
    total = sum(amounts)
    return any(amount != int(amount) for amount in amounts) or n_sites % int(total) != 0


def rounding_within(formula: str, n_sites: int, within: float = SAME_WITHIN) -> float:
    """Return the tolerance of the atomic shares of a formula; 0 for an exact one.

    If three or more elements share sites, one of them may carry the remainder of their occupancies.  The
    other elements have whole numbers of atoms in a cell whose sites are full.

    Parameters
    ----------
    formula, n_sites
        Formula of a material, and number of sites in its cell.
    within
        Tolerance of shares that are rounded one by one.
    """
    if not is_rounded(formula, n_sites):
        return 0.0
    amounts = np.array(_amounts(formula)) / sum(_amounts(formula)) * n_sites
    is_shared = np.abs(amounts - np.round(amounts)) > WHOLE_WITHIN + SHARES_WITHIN * n_sites
    if is_shared.sum() < 3:
        return within
    share = float(amounts[is_shared].sum() / n_sites)
    return max(within, remainder_within(int(is_shared.sum())) * share + 2 * SHARES_WITHIN)


@lru_cache(maxsize=1 << 16)
def _amounts(formula: str) -> tuple[float, ...]:
    return tuple(parse_formula(formula).values())


def disordered_groups(
    formulas: Mapping[str, str], n_sites: Mapping[str, int], within: float = SAME_WITHIN
) -> dict[str, str]:
    """Group materials by composition.

    Parameters
    ----------
    formulas
        mat_id to formula as `polyfacet.materials.reduced_formula.reduced_formula` spells it.
    n_sites
        mat_id to the number of sites in the cell.
    within
        How far the shares of rounded compositions may differ (see `rounding_within`).

    Returns
    -------
    dict
        mat_id to the group's name, the first of its formulas in alphabetical order.
    """
    reach: dict[str, float] = {}
    for formula, n in {(formula, n_sites[mat_id]) for mat_id, formula in formulas.items()}:
        reach[formula] = max(reach.get(formula, 0.0), rounding_within(formula, n, within))
    names: dict[str, str] = {}
    for alike in _by_system(reach, {chemical_system(formula) for formula in reach if reach[formula]}):
        names |= _linked(alike, np.array([reach[formula] for formula in alike]))
    return {mat_id: names.get(formula, formula) for mat_id, formula in formulas.items()}


def _by_system(formulas: Iterable[str], systems: set[str]) -> Iterable[list[str]]:
    """Group the formulas of the given chemical systems."""
    found: dict[str, list[str]] = defaultdict(list)
    for formula in sorted(formulas):
        system = chemical_system(formula)
        if system in systems:
            found[system].append(formula)
    return found.values()


def _linked(formulas: Sequence[str], reach: NDArray[np.float64]) -> dict[str, str]:
    """Map each formula of one chemical system to the first one linked with it, directly or through others."""
    shares = _shares(formulas)
    first, second = cKDTree(shares).query_pairs(reach.max(), p=np.inf, output_type="ndarray").T
    is_close = np.abs(shares[first] - shares[second]).max(axis=1) <= np.maximum(reach[first], reach[second])
    first, second = first[is_close], second[is_close]
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(formulas), len(formulas)))
    _, component = connected_components(links, directed=False)
    first_of: dict[int, str] = {}
    return {
        formula: first_of.setdefault(number, formula)
        for formula, number in zip(formulas, component.tolist(), strict=True)
    }


def _shares(formulas: Sequence[str]) -> NDArray[np.float64]:
    """Return the share of each element in each formula of one system, shape ``(formulas, elements)``."""
    compositions = [sorted(parse_formula(formula).items()) for formula in formulas]
    table = np.array([[amount for _, amount in composition] for composition in compositions])
    return table / table.sum(axis=1, keepdims=True)


class KnownCompositions:
    """A set of compositions in which others are looked up.

    Parameters
    ----------
    formulas
        As `polyfacet.materials.reduced_formula.reduced_formula` spells them.
    n_sites
        Number of sites of one crystal of each.
    within
        How far the shares of rounded compositions may differ (see `rounding_within`).
    """

    def __init__(
        self, formulas: Iterable[str] = (), n_sites: Iterable[int] = (), within: float = TWINS_WITHIN
    ) -> None:
        self.within = within
        self.known: dict[str, dict[str, float]] = defaultdict(dict)
        for formula, n in zip(formulas, n_sites, strict=True):
            alike = self.known[chemical_system(formula)]
            alike[formula] = max(alike.get(formula, 0.0), rounding_within(formula, n, within))

    def hold(self, formula: str, n_sites: int) -> bool:
        """Return whether a composition is in the set, within rounding."""
        alike = self.known.get(chemical_system(formula), {})
        if not alike or formula in alike:
            return bool(alike)
        reach = np.maximum(list(alike.values()), rounding_within(formula, n_sites, self.within))
        if not reach.any():
            return False
        shares = _shares([formula, *alike])
        is_close = np.abs(shares[1:] - shares[0]).max(axis=1) <= reach
        return bool((is_close & (reach > 0)).any())
