"""Materials ranked by representations and by known values."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from polyfacet.facets.registry import GRAPH, TEXT
from polyfacet.runtime.parquet import write_table
from polyfacet.training.representations import (
    TOGETHER,
    representation_column,
    representations_schema,
    represented,
)
from polyfacet.use.finding import ranking
from polyfacet.use.finding.ranking import closest, most_similar, representation_of

FACETS = (TEXT, GRAPH)
SCHEMA = representations_schema(FACETS, {"gap": True, "kind": False})


def unit_rows(n: int, size: int, seed: int) -> np.ndarray:
    numbers = np.random.default_rng(seed).normal(size=(n, size))
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def known() -> np.ndarray:
    known = unit_rows(500, 8, 1)
    known[7] = np.nan
    return known


@pytest.fixture(scope="module")
def table(tmp_path_factory, known):
    """Return a table in which every third material lacks the graph, and one lacks everything."""
    path = tmp_path_factory.mktemp("table") / "representations.parquet"
    lacking = known.copy()
    lacking[::3] = np.nan
    rows = pd.DataFrame(
        {
            "mat_id": [f"m{i:03d}" for i in range(len(known))],
            "formula": "NaCl",
            "part": "train",
            "gap": [None, *range(1, len(known))],
            "kind": ["metal", "insulator"] * (len(known) // 2),
        }
    )
    write_table(path, represented(rows, FACETS, [known, known, lacking], SCHEMA), SCHEMA)
    return path


@pytest.mark.parametrize("n", [1, 5, 1000])
def test_ranks_are_those_of_all_cosines(table, known, n):
    asked = unit_rows(3, 8, 2)
    found = most_similar(table, TOGETHER, asked, n)
    for query, each in zip(asked, found, strict=True):
        cosines = pd.Series(known @ query, [f"m{i:03d}" for i in range(len(known))]).dropna()
        expected = cosines.sort_values(ascending=False)[:n]
        assert each["mat_id"].tolist() == expected.index.tolist()
        np.testing.assert_allclose(each["similarity"], expected, atol=1e-6)


def test_materials_without_a_facet_have_no_rank(table, known):
    (found,) = most_similar(table, representation_column("graph"), known[[1]], 1000)
    numbers = found["mat_id"].str[1:].astype(int)
    assert found["mat_id"][0] == "m001"
    assert (numbers % 3 != 0).all()
    assert len(found) == sum(i % 3 != 0 and i != 7 for i in range(500))


def test_ties_are_ordered_by_identifier(tmp_path, known):
    rows = pd.DataFrame({"mat_id": ["c", "a", "b"], "formula": "Fe", "part": "test", "gap": 1.0, "kind": "x"})
    same = np.repeat(known[:1], 3, axis=0)
    path = tmp_path / "same.parquet"
    write_table(path, represented(rows, FACETS, [same, same, same], SCHEMA), SCHEMA)
    (found,) = most_similar(path, TOGETHER, known[:1], 2)
    assert found["mat_id"].tolist() == ["a", "b"]
    assert found["similarity"].max() <= 1
    assert closest(path, {"gap": 3.0}, 2)["mat_id"].tolist() == ["a", "b"]


def test_values_are_ranked_by_their_mean_scaled_difference(table):
    found = closest(table, {"gap": 250.0, "kind": "metal"}, 3)
    assert found["mat_id"].tolist() == ["m250", "m248", "m252"]
    spread = np.abs(np.arange(1, 500) - 250).mean()
    np.testing.assert_allclose(found["difference"], [0, 1 / spread, 1 / spread])


def test_unknown_values_have_no_rank(table):
    assert "m000" not in set(closest(table, {"gap": 0.0}, 1000)["mat_id"])


def test_representations_of_the_table_are_found_by_identifier(table, known):
    np.testing.assert_allclose(representation_of(table, TOGETHER, "m003"), known[[3]], atol=1e-7)
    assert representation_of(table, representation_column("graph"), "m003") is None
    assert representation_of(table, TOGETHER, "unknown") is None


def test_an_empty_table_has_nothing_to_find(tmp_path):
    path = tmp_path / "empty.parquet"
    write_table(path, SCHEMA.empty_table(), SCHEMA)
    (found,) = most_similar(path, TOGETHER, unit_rows(1, 8, 0), 3)
    assert found.empty
    assert closest(path, {"gap": 1.0}, 3).empty
    assert pa.types.is_floating(SCHEMA.field("value_gap").type)


def test_no_query_finds_nothing(table):
    assert most_similar(table, TOGETHER, np.empty((0, 0)), 3) == []


def test_many_queries_rank_as_single_ones(table, monkeypatch):
    monkeypatch.setattr(ranking, "QUERIES_AT_ONCE", 2)
    asked = unit_rows(5, 8, 3)
    together = most_similar(table, TOGETHER, asked, 4)
    for query, found in zip(asked, together, strict=True):
        (alone,) = most_similar(table, TOGETHER, query[None], 4)
        assert found["mat_id"].tolist() == alone["mat_id"].tolist()


def test_the_scale_of_a_value_does_not_depend_on_others_that_are_unknown(tmp_path, known):
    rows = pd.DataFrame(
        {
            "mat_id": ["a", "b", "c", "d"],
            "formula": "Fe",
            "part": "test",
            "gap": [0.0, 1.0, 10.0, 1000.0],
            "kind": ["x", "x", "x", None],
        }
    )
    same = np.repeat(known[:1], 4, axis=0)
    path = tmp_path / "values.parquet"
    write_table(path, represented(rows, FACETS, [same, same, same], SCHEMA), SCHEMA)
    found = closest(path, {"gap": 10.0, "kind": "x"}, 4).set_index("mat_id")["difference"]
    spread = np.abs(rows["gap"] - rows["gap"].mean()).mean()
    assert found.to_dict() == pytest.approx({"c": 0, "b": 9 / spread / 2, "a": 10 / spread / 2})
