"""The rows and columns that engines see: complete rows, and rows that lack facets."""

import numpy as np
import pandas as pd

from polyfacet.facets.registry import GRAPH, IMAGE, TEXT
from polyfacet.materials.objectives import Objective
from polyfacet.training.seen_rows import have_facets, lacking, rows_of_foundation, what_engines_see

FACETS = (TEXT, IMAGE, GRAPH)
GAP, PHASE = Objective("gap"), Objective("phase", classes=("a", "b"))


def materials() -> pd.DataFrame:
    """Four materials; the second has one of two pictures and no text, the third has nothing."""
    return pd.DataFrame(
        {
            "mat_id": list("mnop"),
            "facets": [["text", "image", "graph"], ["graph"], [], ["text", "image", "graph"]],
            "part": ["train", "train", "train", "test"],
            "group": list("MNOP"),
            "text": ["a text", None, None, "a text"],
            "text_encoding": [np.ones(2), None, None, np.ones(2)],
            "image_a": ["a.png", "a.png", None, "a.png"],
            "image_b": ["b.png", None, None, "b.png"],
            "graph": [np.ones(3), np.ones(3), None, np.ones(3)],
            "composition_statistics": [np.ones(4)] * 4,
            "gap": [1.0, np.nan, 2.0, 3.0],
            "phase": ["a", None, "b", "a"],
        }
    )


def test_rows_have_all_facets_or_any():
    rows = materials()
    assert have_facets(rows, FACETS, missing=False).tolist() == [True, False, False, True]
    assert have_facets(rows, FACETS, missing=True).tolist() == [True, True, False, True]
    assert have_facets(rows, (), missing=True).all()
    assert lacking(rows, FACETS).tolist() == [None, "text+image", "text+image+graph", None]
    assert lacking(rows[:2], (GRAPH,)).tolist() == [None, None]


def test_no_column_shows_a_missing_facet():
    seen = what_engines_see(materials(), FACETS)
    assert list(seen) == [
        *("mat_id", "text", "text_encoding", "image_a", "image_b", "graph", "composition_statistics")
    ]
    lacking = seen.iloc[1]
    shown = [name for name, value in lacking.items() if value is not None]
    assert shown == ["mat_id", "graph"]
    assert all(value is not None for value in seen.iloc[0])
    # Of a cell with one facet, the row is complete, and nothing is hidden.
    assert what_engines_see(materials()[:2], (GRAPH,))["composition_statistics"].notna().all()


def test_a_foundation_gets_training_rows_without_objectives_unless_it_learns():
    rows = rows_of_foundation(materials(), FACETS, (), missing=False)
    assert rows["mat_id"].tolist() == ["m"]
    assert not {"gap", "phase", "group", "part"} & set(rows)


def test_a_foundation_that_learns_gets_all_objectives_and_groups():
    rows = rows_of_foundation(materials(), FACETS, (GAP, PHASE), missing=True)
    assert rows["mat_id"].tolist() == ["m", "n"]
    assert rows["group"].tolist() == ["M", "N"]
    assert rows["gap"].isna().tolist() == [False, True]
    assert rows["phase"].tolist() == ["a", None]
    assert rows["text_encoding"].isna().tolist() == [False, True]
