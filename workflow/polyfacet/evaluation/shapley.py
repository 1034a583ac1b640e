"""Exact Shapley values of a few players, and their pairwise interactions, from the worth of all coalitions.

Coalitions of n players are numbered 0 to 2^n - 1: player i is in a coalition if bit i of its number is set.
"""

from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def shapley_values(worth: Array) -> Array:
    """Divide the worth of all players together among them.

    Parameters
    ----------
    worth
        Worth of each coalition, shape ``(..., 2^n)``; that of the empty one is usually 0.

    Returns
    -------
    numpy.ndarray
        Value of each player, shape ``(..., n)``: its mean contribution over all orders in which the players
        may join (Shapley, "A value for n-person games", Contributions to the Theory of Games II, 307, 1953).
        They add up to the worth of all players less that of none.
    """
    n = _n_players(worth)
    weights = np.zeros((2**n, n))
    for coalition in range(2**n):
        for player in range(n):
            if not coalition >> player & 1:
                size = coalition.bit_count()
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                weights[coalition | 1 << player, player] += weight
                weights[coalition, player] -= weight
    return worth @ weights


def interactions(worth: Array) -> Array:
    """Measure how much two players are worth together beyond what each is worth alone.

    Parameters
    ----------
    worth
        Worth of each coalition, shape ``(..., 2^n)``, n >= 2.

    Returns
    -------
    numpy.ndarray
        Shapley interaction index of each pair, shape ``(..., n, n)``, NaN on the diagonal: positive for
        synergistic, negative for redundant players (Grabisch and Roubens, "An axiomatic approach to the
        concept of interaction among players in cooperative games", Int. J. Game Theory 28, 547, 1999).
    """
    n = _n_players(worth)
    found = np.full((*worth.shape[:-1], n, n), np.nan)
    for first in range(n):
        for second in range(first):
            found[..., first, second] = found[..., second, first] = _interaction(worth, n, first, second)
    return found


def _interaction(worth: Array, n: int, first: int, second: int) -> Array:
    both = 1 << first | 1 << second
    total = np.zeros(worth.shape[:-1])
    for others in range(2**n):
        if others & both:
            continue
        size = others.bit_count()
        weight = factorial(size) * factorial(n - size - 2) / factorial(n - 1)
        alone = worth[..., others | 1 << first] + worth[..., others | 1 << second]
        total += weight * (worth[..., others | both] - alone + worth[..., others])
    return total


def _n_players(worth: Array) -> int:
    n = worth.shape[-1].bit_length() - 1
    if worth.shape[-1] != 2**n:
        raise ValueError(f"{worth.shape[-1]} is not the number of coalitions of any number of players")
    return n
