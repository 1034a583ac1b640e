"""Contributions of facets to the reduction of the loss, and the interactions of pairs."""

import numpy as np
import pytest
from compared_cells import N_TEST, N_TRAIN, cells_with, on_test, validated

from polyfacet.evaluation.contributions import CONTRIBUTIONS, INTERACTIONS, attribute, complete_facets
from polyfacet.evaluation.corrected_t import CorrectedMean
from polyfacet.facets.registry import all_combinations, facet_named
from polyfacet.runtime.parquet import write_table

NOTHING = {("mean", "none"): [(1.0, 1.1)] * 3, ("median", "none"): [(0.9, 0.95)] * 3}
FACETS = [facet_named(name) for name in ("text", "graph", "compimage")]


def attributed(losses, **changes):
    cells = cells_with(losses).assign(**changes)
    return attribute(cells, validated(cells), on_test(cells))


def of_ridge(losses):
    """Give a method the same test loss for validation, in three repeats that differ by little."""
    return {
        ("ridge", name): [(loss, loss + shift) for shift in (-0.01, 0.0, 0.01)]
        for name, loss in losses.items()
    }


TWO = of_ridge({"graph": 0.55, "compimage": 0.65, "graph+compimage": 0.35})


def test_values_and_interactions_of_two_facets_by_hand(tmp_path):
    shares, pairs = attributed(NOTHING | TWO)
    own = shares[shares["method"] == "ridge"].set_index("facet")
    # Reductions from 0.95 of the median: 0.4, 0.3, together 0.6.
    assert own["value"].to_dict() == pytest.approx({"graph": 0.35, "compimage": 0.25})
    assert own["share"].to_dict() == pytest.approx({"graph": 0.35 / 0.6, "compimage": 0.25 / 0.6})
    expected = CorrectedMean.of([0.345, 0.35, 0.355], N_TEST / N_TRAIN)
    assert own.loc["graph", ["low", "high"]].tolist() == pytest.approx(list(expected.interval()))
    assert own.loc["graph", "std"] == pytest.approx(0.005)
    (pair,) = pairs[pairs["method"] == "ridge"].to_dict("records")
    assert (pair["facet"], pair["other"]) == ("graph", "compimage")
    assert pair["value"] == pytest.approx(0.6 - 0.4 - 0.3)
    assert (pair["kind"], pair["n_repeats"]) == ("redundant", 3)
    write_table(tmp_path / "contributions.parquet", shares, CONTRIBUTIONS)
    write_table(tmp_path / "interactions.parquet", pairs, INTERACTIONS)


@pytest.mark.parametrize(
    ("together", "kind"), [(0.25, "undecided"), (0.1, "synergistic"), (0.5, "redundant")]
)
def test_pairs_are_redundant_or_synergistic(together, kind):
    losses = of_ridge({"graph": 0.55, "compimage": 0.65, "graph+compimage": together})
    assert attributed(NOTHING | losses)[1]["kind"].tolist() == [kind] * 2


def test_values_add_up_and_a_facet_without_effect_gets_none():
    rng = np.random.default_rng(0)
    losses = {name: rng.uniform(0.2, 0.9) for name in all_combinations(FACETS[1:])}
    with_text = {"text": 0.95} | losses | {f"text+{name}": loss for name, loss in losses.items()}
    cells = {("ridge", name): [(0.5, with_text[name])] * 3 for name in all_combinations(FACETS)}
    shares, pairs = attributed(NOTHING | cells)
    own = shares[shares["method"] == "ridge"].set_index("facet")
    assert own["value"].sum() == pytest.approx(0.95 - with_text["text+graph+compimage"])
    assert own["share"].sum() == pytest.approx(1)
    assert own.loc["text", "value"] == pytest.approx(0, abs=1e-12)
    # Equal values in all repeats have no spread to derive an interval from.
    assert own[["low", "high"]].isna().all(axis=None)
    of_text = pairs[(pairs["method"] == "ridge") & (pairs["facet"] == "text")]
    assert of_text["value"].tolist() == pytest.approx([0, 0], abs=1e-12)


def test_without_a_method_that_looks_at_nothing_the_loss_falls_from_one():
    own = attributed(TWO)[0].query("method == 'ridge'")
    assert own["value"].sum() == pytest.approx(1 - 0.35)


def test_the_chosen_methods_differ_between_combinations():
    trees = {
        ("trees", "graph"): [(0.1, 0.9)] * 3,
        ("trees", "compimage"): [(0.9, 0.1)] * 3,
        ("trees", "graph+compimage"): [(0.9, 0.1)] * 3,
    }
    own = attributed(NOTHING | TWO | trees)[0].query("method == 'chosen'").set_index("facet")
    # Reductions: 0.05 by the trees, 0.3 and 0.6 by ridge regression.
    assert own["value"].to_dict() == pytest.approx({"graph": 0.175, "compimage": 0.425})


def test_a_method_with_fewer_repeats_is_described_and_never_chosen():
    automm = {("automm", name): [(0.1, 0.2)] for name in ("graph", "compimage", "graph+compimage")}
    cells = cells_with(NOTHING | TWO | automm)
    candidates = validated(cells[cells["method"] != "automm"])
    shares, pairs = attribute(cells, candidates, on_test(cells))
    own = shares[shares["method"] == "automm"]
    assert own["n_repeats"].tolist() == [1, 1]
    assert own[["std", "low", "high"]].isna().all(axis=None)
    assert pairs.query("method == 'automm'")["kind"].tolist() == ["undecided"]
    assert shares.query("method == 'chosen'")["value"].sum() == pytest.approx(0.6)


def test_repeats_in_which_a_combination_failed_are_left_out():
    broken = TWO | {("ridge", "graph"): [(0.5, np.nan), (0.5, 0.55), (0.5, 0.56)]}
    own = attributed(NOTHING | broken)[0].query("method == 'ridge'")
    assert own["n_repeats"].tolist() == [2, 2]
    without = TWO | {("ridge", "graph"): [(0.5, np.nan)] * 3}
    assert attributed(NOTHING | without)[0].empty


def test_facets_that_reduce_nothing_have_no_shares():
    losses = of_ridge({"graph": 1.2, "compimage": 1.3, "graph+compimage": 1.4})
    assert attributed(NOTHING | losses)[0]["share"].isna().all()


def test_all_subsets_of_some_facets_suffice():
    everything = all_combinations(FACETS)
    assert complete_facets(everything) == ["text", "graph", "compimage"]
    assert complete_facets([name for name in everything if name != "text+graph"]) == ["text", "compimage"]
    assert complete_facets(["graph", "compimage"]) == []
    assert complete_facets(["text:cif", "graph", "text:cif+graph"]) == ["text:cif", "graph"]
    assert complete_facets([]) == []


def test_runs_without_such_methods_have_no_contributions(tmp_path):
    shares, pairs = attributed({("ridge", "graph"): [(0.5, 0.5)] * 3})
    write_table(tmp_path / "contributions.parquet", shares, CONTRIBUTIONS)
    write_table(tmp_path / "interactions.parquet", pairs, INTERACTIONS)
    assert (len(shares), len(pairs)) == (0, 0)
