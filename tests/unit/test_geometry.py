"""Measures of representations against their closed forms."""

import numpy as np
import pytest

from polyfacet.evaluation.representations.geometry import (
    alignment,
    alignment_of_random_pairs,
    effective_rank,
    modality_gap,
    uniformity,
)
from polyfacet.evaluation.representations.tables import GEOMETRY, RANK, geometry_of

RANDOM = np.random.default_rng(0)


def on_sphere(n: int, size: int) -> np.ndarray:
    numbers = RANDOM.normal(size=(n, size))
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


def test_alignment_is_0_for_equal_2_for_orthogonal_and_4_for_opposite_partners():
    known = on_sphere(50, 8)
    assert alignment(known, known) == 0
    assert alignment(np.eye(4), np.roll(np.eye(4), 1, axis=0)) == 2
    assert alignment(known, -known) == pytest.approx(4)


def test_random_pairs_are_all_pairs():
    first, second = on_sphere(20, 5), on_sphere(20, 5)
    pairs = [((a - b) ** 2).sum() for a in first for b in second]
    assert alignment_of_random_pairs(first, second) == pytest.approx(np.mean(pairs))


def test_uniformity_is_that_of_its_definition():
    known = on_sphere(30, 6)
    pairs = [np.exp(-2 * ((known[i] - known[j]) ** 2).sum()) for i in range(30) for j in range(30) if i != j]
    assert uniformity(known) == pytest.approx(np.log(np.mean(pairs)))
    assert uniformity(np.ones((5, 1))) == pytest.approx(0)


@pytest.mark.parametrize("used", [1, 3, 8])
def test_effective_rank_counts_equal_directions(used):
    directions = np.eye(8)[:used]
    assert effective_rank(np.vstack([directions, -directions])) == pytest.approx(used)


def test_a_common_direction_does_not_count():
    assert effective_rank(np.ones((10, 4)) / 2) == 0
    known = np.vstack([np.eye(3), -np.eye(3)])
    assert effective_rank(known + 5) == pytest.approx(effective_rank(known))


def test_the_gap_is_the_distance_of_the_means():
    assert modality_gap(np.eye(2), -np.eye(2)) == pytest.approx(np.sqrt(2))
    known = on_sphere(10, 3)
    assert modality_gap(known, known[::-1]) == pytest.approx(0)


def test_facets_that_few_materials_have_are_measured_on_these_or_left_out():
    full, partial, alone = on_sphere(10, 4), on_sphere(10, 4), on_sphere(10, 4)
    partial[4:] = np.nan
    alone[1:] = np.nan
    found = geometry_of({"m": {"text": full, "graph": partial, "image": alone}})
    assert set(found["facet"]) == {"text", "graph"}
    assert found.query("facet == 'text' and other == 'graph'")["n_materials"].unique().tolist() == [4]
    ranks = found[found["metric"] == RANK].set_index("facet")["value"]
    assert ranks["graph"] == pytest.approx(effective_rank(partial[:4]))
    assert geometry_of({}).columns.tolist() == GEOMETRY.names[3:]
