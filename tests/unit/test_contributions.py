"""Contributions of facets to the reduction of the loss, and the interactions of pairs."""

import re

import numpy as np
import pandas as pd
import pytest
from compared_cells import N_TEST, N_TRAIN, cells_with, on_test, validated

from polyfacet.evaluation.contributions import (
    CHOSEN,
    CONTRIBUTIONS,
    INTERACTIONS,
    attribute,
    complete_facets,
)
from polyfacet.evaluation.corrected_t import CorrectedMean
from polyfacet.facets.registry import all_combinations, facet_named
from polyfacet.runtime.names import NAME
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


def test_two_nearly_equal_repeats_label_no_pair():
    losses = of_ridge({"graph": 0.55, "compimage": 0.65, "graph+compimage": 0.5})
    nearly = {
        name: [(0.5, own[0][1]), (0.5, own[0][1] + 1e-5 * i)] for i, (name, own) in enumerate(losses.items())
    }
    pairs = attributed({name: own[:2] for name, own in NOTHING.items()} | nearly)[1]
    assert (pairs["high"] < 0).all()
    assert set(pairs["kind"]) == {"undecided"}


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
    assert own["n_from_one"].tolist() == [3, 3]
    assert attributed(NOTHING | TWO)[0]["n_from_one"].tolist() == [0] * 4


def test_the_chosen_methods_differ_between_combinations():
    trees = {
        ("trees", "graph"): [(0.1, 0.9)] * 3,
        ("trees", "compimage"): [(0.9, 0.1)] * 3,
        ("trees", "graph+compimage"): [(0.9, 0.1)] * 3,
    }
    own = attributed(NOTHING | TWO | trees)[0].query("method == @CHOSEN").set_index("facet")
    # Reductions: 0.05 by the trees, 0.3 and 0.6 by ridge regression.
    assert own["value"].to_dict() == pytest.approx({"graph": 0.175, "compimage": 0.425})


def test_no_method_can_be_called_like_the_chosen_ones():
    assert not re.fullmatch(NAME, CHOSEN)
    # Better on validation rows than the method whose name suggests that it was chosen.
    rival = {("best", name): [(loss, loss) for _, loss in own] for (_, name), own in TWO.items()}
    named = {("chosen", name): [(0.9, 0.8)] * 3 for _, name in TWO}
    shares, pairs = attributed(NOTHING | named | rival)
    assert set(shares["method"]) == set(pairs["method"]) == {"chosen", "best", CHOSEN}
    reduced = shares.groupby("method")["value"].sum()
    assert reduced.to_dict() == pytest.approx({"chosen": 0.15, "best": 0.6, CHOSEN: 0.6})


def test_intervals_are_missing_where_repeats_of_the_objective_share_a_test_part():
    cells = pd.concat([cells_with(NOTHING | TWO, name) for name in ("gap", "mag")], ignore_index=True)
    cells.loc[cells["objective"] == "mag", "tested"] = "the same"
    shares, pairs = attribute(cells, validated(cells), on_test(cells))
    for table in (shares, pairs):
        has_limits = table[["low", "high"]].notna().all(axis=1)
        assert has_limits.groupby(table["objective"]).unique().map(list).to_dict() == {
            "gap": [True],
            "mag": [False],
        }


def test_a_method_with_fewer_repeats_is_described_and_never_chosen():
    automm = {("automm", name): [(0.1, 0.2)] for name in ("graph", "compimage", "graph+compimage")}
    cells = cells_with(NOTHING | TWO | automm)
    candidates = validated(cells[cells["method"] != "automm"])
    shares, pairs = attribute(cells, candidates, on_test(cells))
    own = shares[shares["method"] == "automm"]
    assert own["n_repeats"].tolist() == [1, 1]
    assert own[["std", "low", "high"]].isna().all(axis=None)
    assert pairs.query("method == 'automm'")["kind"].tolist() == ["undecided"]
    assert shares.query("method == @CHOSEN")["value"].sum() == pytest.approx(0.6)


def test_a_method_on_some_objectives_takes_no_contributions_from_the_others():
    three = {("automm", name): [(0.3, 0.4)] * 3 for name in all_combinations(FACETS)}
    both = cells_with(NOTHING | TWO, "mag")
    cells = pd.concat([cells_with(NOTHING | TWO | three, "gap"), both], ignore_index=True)
    shares, pairs = attribute(cells, validated(cells), on_test(cells))
    chosen = shares[shares["method"] == CHOSEN]
    assert chosen.groupby("objective")["facet"].agg(list).to_dict() == {
        "gap": ["text", "graph", "compimage"],
        "mag": ["graph", "compimage"],
    }
    alone = attribute(both, validated(both), on_test(both))
    for table, expected in zip((shares, pairs), alone, strict=True):
        own = table[table["objective"] == "mag"].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, expected)


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
    assert complete_facets(everything) == [["text", "graph", "compimage"]]
    two_pairs = complete_facets([name for name in everything if name != "text+graph"])
    assert two_pairs == [["text", "compimage"], ["graph", "compimage"]]
    assert complete_facets(["graph", "compimage"]) == []
    assert complete_facets(["text:cif", "graph", "text:cif+graph"]) == [["text:cif", "graph"]]
    assert complete_facets([]) == []


def test_sets_of_as_many_facets_that_are_not_used_are_named(tmp_path):
    variants = of_ridge(
        {"text": 0.7, "graph": 0.55, "graph:chgnet": 0.5, "text+graph": 0.4, "text+graph:chgnet": 0.3}
    )
    shares, pairs = attributed(NOTHING | variants)
    for table in (shares, pairs):
        assert {"graph:chgnet"}.isdisjoint(table["facet"])
        assert table["unused"].tolist() == [["text+graph:chgnet"]] * len(table)
    write_table(tmp_path / "contributions.parquet", shares, CONTRIBUTIONS)
    write_table(tmp_path / "interactions.parquet", pairs, INTERACTIONS)
    assert attributed(NOTHING | TWO)[0]["unused"].tolist() == [[]] * 4


def test_runs_without_such_methods_have_no_contributions(tmp_path):
    shares, pairs = attributed({("ridge", "graph"): [(0.5, 0.5)] * 3})
    write_table(tmp_path / "contributions.parquet", shares, CONTRIBUTIONS)
    write_table(tmp_path / "interactions.parquet", pairs, INTERACTIONS)
    assert (len(shares), len(pairs)) == (0, 0)
