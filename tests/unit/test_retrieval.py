"""Places of answers with ties, chance and what is possible, galleries, and simple methods of retrieval."""

from itertools import pairwise, permutations

import numpy as np
import pytest

from polyfacet.evaluation.retrieval.baselines import fitted_cca, fitted_decoder, fitted_ridge
from polyfacet.evaluation.retrieval.galleries import FIXED_SIZE, searches
from polyfacet.evaluation.retrieval.places import Places
from polyfacet.evaluation.retrieval.tables import Searched, retrieval_of


def all_first_ranks(scores: list[float], relevant: list[bool]) -> list[int]:
    """Return the rank of the first relevant item for every order of the items that scores allow."""
    ranks = []
    for order in permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in pairwise(order)):
            ranks.append(1 + next(place for place, item in enumerate(order) if relevant[item]))
    return ranks


@pytest.mark.parametrize(
    ("scores", "relevant"),
    [
        ([3, 2, 1, 0], [False, True, False, True]),
        ([1, 1, 1, 1], [False, True, False, False]),
        ([1, 1, 1, 1, 1], [True, True, False, False, False]),
        ([2, 1, 1, 1, 0], [False, True, True, False, True]),
        ([5, 1, 1], [True, True, False]),
    ],
)
def test_places_are_means_over_all_orders_of_ties(scores, relevant):
    ranks = np.array(all_first_ranks(scores, relevant))
    found = Places.of(np.array([scores], dtype=float), np.array([relevant]))
    assert found.rank().item() == pytest.approx(ranks.mean())
    assert found.reciprocal_rank().item() == pytest.approx((1 / ranks).mean())
    for k in range(1, len(scores) + 1):
        assert found.recall(k).item() == pytest.approx((ranks <= k).mean())


def test_constant_scores_are_chance():
    n = 300
    constant = Places.of(np.zeros((n, n)), np.eye(n, dtype=bool))
    chance = Places.by_chance(np.full(n, n), np.ones(n, dtype=int))
    for k in (1, 10, n):
        assert constant.recall(k).mean() == pytest.approx(k / n)
    assert constant.rank().mean() == (n + 1) / 2
    np.testing.assert_allclose(constant.reciprocal_rank(), chance.reciprocal_rank())
    assert constant.reciprocal_rank()[0] == pytest.approx((1 / np.arange(1, n + 1)).sum() / n)


def test_a_query_without_an_answer_or_with_a_nan_is_refused():
    with pytest.raises(ValueError, match="no relevant item"):
        Places.of(np.zeros((1, 2)), np.array([[True, False]]), np.array([[False, True]]))
    with pytest.raises(ValueError, match="not a number"):
        Places.of(np.array([[np.nan, 0.0]]), np.array([[True, False]]))


FORMULAS = ["AB", "AB", "A2B", "CD", "CD", "CD", "E"]
ELEMENTS = ["A B", "A B", "A B", "C D", "C D", "C D", "E"]
IDS = [f"m{i}" for i in range(7)]


def test_galleries_and_answers():
    found = searches(FORMULAS, ELEMENTS, IDS, seed=0)
    assert set(found) == {
        ("all", "material"),
        ("all", "formula"),
        ("elements", "material"),
        ("elements", "formula"),
        ("formula", "material"),
    }
    whole = found["all", "formula"]
    assert whole.relevant.sum(axis=1).tolist() == [2, 2, 1, 3, 3, 3, 1]
    # Each material of the elements C and D has the same formula.
    assert found["elements", "formula"].queries.tolist() == [0, 1, 2]
    assert found["elements", "material"].gallery.sum(axis=1).tolist() == [3] * 6
    assert found["formula", "material"].queries.tolist() == [0, 1, 3, 4, 5]


def test_what_is_possible_depends_on_what_facets_tell():
    search = searches(FORMULAS, ELEMENTS, IDS, seed=0)["all", "material"]
    assert search.at_best(tells_formula_only=False).recall(1).tolist() == [1] * 7
    of_formula = search.at_best(tells_formula_only=True)
    np.testing.assert_allclose(of_formula.recall(1), [1 / 2, 1 / 2, 1, 1 / 3, 1 / 3, 1 / 3, 1])
    np.testing.assert_allclose(of_formula.recall(2), [1, 1, 1, 2 / 3, 2 / 3, 2 / 3, 1])
    # A perfect ranking by formula is as good as that.
    same = np.array([[a == b for b in FORMULAS] for a in FORMULAS], dtype=float)
    np.testing.assert_allclose(search.places(same).recall(1), of_formula.recall(1))
    chance = search.by_chance()
    np.testing.assert_allclose(chance.recall(3), 3 / 7)


def test_the_gallery_of_fixed_size_is_the_same_for_any_order():
    n = FIXED_SIZE + 50
    ids = [f"m{i}" for i in range(n)]
    search = searches(ids, ids, ids, seed=1)["fixed", "material"]
    backwards = searches(ids[::-1], ids[::-1], ids[::-1], seed=1)["fixed", "material"]
    assert len(search.queries) == FIXED_SIZE
    assert {ids[q] for q in search.queries} == {ids[::-1][q] for q in backwards.queries}
    assert ("fixed", "material") not in searches(ids[:9], ids[:9], ids[:9], seed=1)


def linked(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two facets that share five of their causes."""
    causes = np.random.default_rng(seed).normal(size=(n, 5))
    maps = np.random.default_rng(99).normal(size=(2, 5, 20))
    noise = np.random.default_rng(seed + 1).normal(size=(2, n, 20))
    return causes @ maps[0] + 0.2 * noise[0], causes @ maps[1] + 0.2 * noise[1]


@pytest.mark.parametrize("fit", [fitted_ridge, fitted_cca])
def test_simple_methods_find_linear_partners_and_none_without(fit):
    train, test = linked(400, seed=0), linked(100, seed=10)
    itself = np.eye(100, dtype=bool)
    found = Places.of(fit(*train)(*test), itself).recall(1).mean()
    orders = [np.random.default_rng(seed).permutation(400) for seed in range(20)]
    shuffled = [
        Places.of(fit(train[0], train[1][order])(*test), itself).recall(10).mean() for order in orders
    ]
    assert found > 0.8
    assert np.mean(shuffled) == pytest.approx(0.1, abs=0.05)


def test_compositions_are_decoded_from_both_facets():
    random = np.random.default_rng(0)
    fractions = random.dirichlet(np.ones(6), size=500)
    maps = random.normal(size=(2, 6, 10))
    query, item = fractions @ maps[0], fractions @ maps[1]
    decoder = fitted_decoder(query[:400], item[:400], fractions[:400])
    places = Places.of(decoder(query[400:], item[400:]), np.eye(100, dtype=bool))
    assert places.recall(5).mean() > 0.9


def test_every_direction_and_method_is_beside_chance_and_what_is_possible():
    n = len(FORMULAS)
    right, nothing = np.eye(n), np.zeros((n, n))
    has_graph = np.array([True] * 6 + [False])
    searched = Searched(
        IDS,
        FORMULAS,
        ELEMENTS,
        {
            "right": {("text", "graph"): right, ("graph", "text"): right},
            "nothing": {("text", "graph"): nothing},
        },
        {"text": np.ones(n, dtype=bool), "graph": has_graph},
    )
    table = retrieval_of(searched, seed=0)
    keys = ["query", "item", "gallery", "relevance", "metric", "method"]
    assert not table.duplicated(keys).any()
    found = table.set_index(keys).sort_index()
    asked = found.loc["text", "graph", "all", "material"]
    assert set(table.loc[table["method"] == "nothing", "query"]) == {"text"}
    assert asked.loc[("recall@1", "right"), "value"] == 1
    assert asked.loc[("recall@1", "nothing"), "value"] == pytest.approx(1 / 6)
    assert asked.loc[("mrr", "nothing"), "value"] == pytest.approx(asked.loc[("mrr", "nothing"), "chance"])
    # A text is that of all materials of its formula: 2, 1 and 3 of these have a graph.
    possible = asked.loc[("recall@1", "right"), "possible"]
    assert possible == pytest.approx((1 + 1 + 1) / 6)
    low, high = asked.loc[("recall@1", "right"), ["low", "high"]]
    assert low == high == 1
    assert asked.loc[("recall@1", "right"), ["n_queries", "n_items"]].tolist() == [6, 6]
