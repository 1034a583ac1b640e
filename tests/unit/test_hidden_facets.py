"""Facets hidden at random: how many, which, and that no column shows them any more."""

import numpy as np
import pandas as pd
import pytest

from polyfacet.facets.aligned import without_hidden
from polyfacet.facets.registry import GRAPH, IMAGE, TEXT, facet_named
from polyfacet.splits.hidden_facets import HiddenFacets

NAMES = ("text", "image", "graph")
MAT_IDS = [f"m{number}" for number in range(2000)]
TRAINING = ["train"] * len(MAT_IDS)


def hidden(share: float = 0.5, **changes) -> HiddenFacets:
    """Return what is hidden in all parts."""
    fields = {"parts": ["train", "valid", "test"], "facets": NAMES, "seed": 1, "keeps_one": True}
    found = HiddenFacets.from_settings({"share": share, **fields, **changes})
    assert found is not None
    return found


def all_hidden(of: HiddenFacets) -> np.ndarray:
    """Return which facets are hidden, shape (facets, materials)."""
    return np.stack([of.hides(name, MAT_IDS, TRAINING) for name in NAMES])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_hidden_and_one_facet_is_kept(share):
    found = all_hidden(hidden(share))
    assert not found.all(axis=0).any()
    # Where all would be hidden, one is kept.
    expected = share - share**3 / 3
    np.testing.assert_allclose(found.mean(axis=1), expected, atol=4 * np.sqrt(0.25 / len(MAT_IDS)))


def test_a_facet_may_be_hidden_everywhere_if_others_never_are():
    found = hidden(0.9, facets=["text"], keeps_one=False)
    assert found.hides("text", MAT_IDS, TRAINING).mean() == pytest.approx(0.9, abs=0.03)
    assert not found.hides("graph", MAT_IDS, TRAINING).any()


def test_a_larger_share_hides_what_a_smaller_one_hides():
    few, many = all_hidden(hidden(0.3)), all_hidden(hidden(0.6))
    assert (many[few]).all()
    assert many.sum() > few.sum()


def test_the_choice_follows_from_seed_material_and_facet_alone():
    whole = all_hidden(hidden())
    some = hidden().hides("image", MAT_IDS[100:110], TRAINING[:10])
    np.testing.assert_array_equal(some, whole[1, 100:110])
    assert (all_hidden(hidden(seed=2)) != whole).mean() == pytest.approx(0.5, abs=0.05)


def test_only_the_named_parts_hide_facets():
    parts = ["train", "valid", "test", None] * 500
    found = hidden(parts=["train"]).hides("text", MAT_IDS, parts)
    assert found[::4].any()
    assert not any(found[start::4].any() for start in (1, 2, 3))


def frame() -> pd.DataFrame:
    """Return aligned rows with two views of the structure, a text in one of its forms, and an encoding."""
    n = 40
    pictures = {
        f"image_{view}{suffix}": [f"{view}{row}{suffix}" for row in range(n)]
        for view in "ab"
        for suffix in ("", "_sha256")
    }
    names = [facet.name for facet in FACETS]
    return pd.DataFrame(
        {
            "mat_id": MAT_IDS[:n],
            "part": "train",
            "facets": [names[: 2 + row % 2] for row in range(n)],
            "text:cif": "a text",
            "text:cif_encoding": list(np.ones((n, 2))),
            **pictures,
            "graph": list(np.ones((n, 3))),
        }
    )


FACETS = (facet_named("text:cif"), IMAGE, GRAPH)


def test_no_column_shows_a_hidden_facet():
    rows, of = frame(), hidden()
    found = without_hidden(rows, FACETS, of)
    columns = {
        TEXT: ["text:cif", "text:cif_encoding"],
        IMAGE: ["image_a", "image_a_sha256", "image_b", "image_b_sha256"],
        GRAPH: ["graph"],
    }
    for facet, own in columns.items():
        is_hidden = of.hides(facet.name, list(rows["mat_id"]), list(rows["part"]))
        assert 0 < is_hidden.sum() < len(rows)
        for name in own:
            np.testing.assert_array_equal(found[name].isna(), is_hidden)
    had, left = rows["facets"].map(set), found["facets"].map(set)
    assert (left <= had).all()
    assert (left < had).any()
    assert without_hidden(rows, FACETS, None) is rows
