"""The page on retrieval follows from its tables."""

import sys
from itertools import permutations

import pandas as pd
from project import PROJECT

from polyfacet.evaluation.retrieval.schema import RETRIEVAL

sys.path.insert(0, str(PROJECT))

from benchmarks.retrieval.page import METHODS, METRICS, write_page

FACETS = ("text", "image", "graph", "compimage")


def made_up(value: dict[str, float]) -> pd.DataFrame:
    """Return a table of one repeat, with the same value of a method everywhere."""
    places = [("all", "material"), ("formula", "material"), ("all", "formula")]
    rows = [
        {
            "source": "crystals",
            "split": "formula",
            "repeat": 0,
            "method": method,
            "query": query,
            "item": item,
            "gallery": gallery,
            "relevance": relevance,
            "metric": metric,
            "value": value.get(method, 0.1),
            "low": None,
            "high": None,
            "chance": 0.01,
            "possible": 0.9,
            "n_queries": 1500,
            "n_items": 1500.0,
        }
        for query, item in permutations(FACETS, 2)
        for gallery, relevance in places
        for method in METHODS
        for metric in METRICS
    ]
    return pd.DataFrame(rows)[RETRIEVAL.names]


def test_bars_follow_from_the_best_pretrained_network(tmp_path):
    found = made_up({"all_pairs": 0.3, "fused_anchor": 0.62, "decoded composition": 0.65})
    page = write_page(found, tmp_path, 1).read_text()
    assert "recall@1 at least 15%: **met**, 62.0% (`fused_anchor`)" in page
    assert "`decoded composition`, has 65.0%, chance 1.00%" in page
    assert "which reads the same numbers: **met**, 62.0% (`fused_anchor`) and 65.0%" in page
    assert page.count("→") == 12 + 1


def test_a_missed_bar_is_said_with_the_number_of_repeats(tmp_path):
    page = write_page(made_up({"all_pairs": 0.3, "decoded composition": 0.9}), tmp_path, 3).read_text()
    assert "recall@10 at least 50%: missed so far, in 1 of 3 repeats, 30.0% (`all_pairs`)" in page
    assert "numbers: missed so far, in 1 of 3 repeats, 30.0%" in page


def test_nothing_is_said_before_a_repeat_is_finished(tmp_path):
    page = write_page(RETRIEVAL.empty_table().to_pandas(), tmp_path, 3).read_text()
    assert page.endswith("Finished: 0 of 3 repeats.\n")
