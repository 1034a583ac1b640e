"""Shapley values and interactions of a few players: axioms, and games whose solution is known."""

import numpy as np
import pytest

from polyfacet.evaluation.shapley import interactions, shapley_values


def test_the_values_add_up_to_the_worth_of_all():
    worth = np.random.default_rng(0).normal(size=(5, 16))
    values = shapley_values(worth)
    assert values.shape == (5, 4)
    np.testing.assert_allclose(values.sum(axis=1), worth[:, -1] - worth[:, 0])


def test_the_glove_game():
    """Two left gloves (players 0, 1) and a right one (2); a pair is worth 1 (Shapley's textbook game)."""
    worth = np.array([float(coalition & 0b100 and coalition & 0b011 != 0) for coalition in range(8)])
    np.testing.assert_allclose(shapley_values(worth), [1 / 6, 1 / 6, 4 / 6])
    # By hand, for the two lefts: 1/2 (v01 - v0 - v1) + 1/2 (v012 - v02 - v12 + v2) = 0 + 1/2 (1 - 1 - 1 + 0).
    found = interactions(worth)
    assert found[0, 1] == pytest.approx(-0.5)
    assert found[0, 2] == found[2, 1] == pytest.approx(0.5)
    assert np.isnan(np.diag(found)).all()


def test_equal_players_get_equal_values_and_one_without_effect_gets_none():
    worth = np.array([[1, 3, 3, 4][coalition & 0b011] for coalition in range(8)], dtype=float)
    first, second, third = shapley_values(worth)
    assert first == pytest.approx(second) == pytest.approx(1.5)
    assert third == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(interactions(worth)[2, :2], 0, atol=1e-12)


@pytest.mark.parametrize(("together", "sign"), [(2.0, 0), (1.2, -1), (3.0, 1)])
def test_redundant_players_interact_negatively_and_synergistic_ones_positively(together, sign):
    found = interactions(np.array([0.0, 1.0, 1.0, together]))[0, 1]
    assert found == pytest.approx(together - 2)
    assert np.sign(found) == sign


def test_interactions_of_many_players_are_means_over_the_others():
    n, (i, j) = 4, (1, 3)
    worth = np.random.default_rng(1).normal(size=2**n)
    # Over all orders in which i and j join as one player.
    total, others = 0.0, [0, 2]
    for before, weight in (([], 1 / 3), ([0], 1 / 6), ([2], 1 / 6), (others, 1 / 3)):
        base = sum(1 << player for player in before)
        both, first, second = base | 1 << i | 1 << j, base | 1 << i, base | 1 << j
        total += weight * (worth[both] - worth[first] - worth[second] + worth[base])
    assert interactions(worth)[i, j] == pytest.approx(total)


def test_a_wrong_number_of_coalitions_is_refused():
    with pytest.raises(ValueError, match="6 is not the number of coalitions"):
        shapley_values(np.zeros(6))
