"""Deletion curves: how fast predictions fall if the units that raise them most are hidden first.

For a network that is a sum over units, no order makes them fall faster than that of the contributions; a
random order removes them evenly.  Whoever explains a network by noise finds no difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyfacet.training.engines.explaining import Array, Explainer

# Shares of the units that are hidden: at 0 and at 1, all orders agree.
SHARES = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))
N_RANDOM = 5

Order = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Falls:
    """How far predictions fall, on the network's scale.

    Attributes
    ----------
    explained, by_chance
        By the order of the contributions, and the mean of random orders; shape ``(shares, materials,
        objectives)``.
    """

    explained: Array
    by_chance: Array

    @property
    def areas(self) -> Array:
        """The area between both curves for each material, shape ``(materials, objectives)``."""
        return np.asarray((self.explained - self.by_chance).mean(axis=0))


def falls_of(explainer: Explainer, contributions: Sequence[Array], seed: int) -> Falls:
    """Hide units in the order of their contributions, and in random ones.

    Parameters
    ----------
    explainer
        The explainer.
    contributions
        What it found: an array per material, shape ``(units, objectives)``.
    seed
        Seed of the random orders, also among units with equal contributions.
    """
    rng = np.random.default_rng(seed)
    shown = explainer.outputs([np.zeros(len(each), dtype=bool) for each in contributions])
    drawn = [[rng.permutation(len(each)) for each in contributions] for _ in range(N_RANDOM)]
    by_chance = np.mean([shown - _hidden(explainer, orders) for orders in drawn], axis=0)
    explained = np.empty_like(by_chance)
    for objective in range(shown.shape[1]):
        orders = [
            chance[np.argsort(-each[chance, objective], kind="stable")]
            for each, chance in zip(contributions, drawn[0], strict=True)
        ]
        explained[..., objective] = (shown - _hidden(explainer, orders))[..., objective]
    return Falls(explained, by_chance)


def _hidden(explainer: Explainer, orders: Sequence[Order]) -> Array:
    """Return the outputs if the first units of each order are hidden, for all shares."""
    return np.stack([explainer.outputs([_first(order, share) for order in orders]) for share in SHARES])


def _first(order: Order, share: float) -> NDArray[np.bool_]:
    """Say which units are hidden."""
    hidden = np.zeros(len(order), dtype=bool)
    hidden[order[: round(share * len(order))]] = True
    return hidden
