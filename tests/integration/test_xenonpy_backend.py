"""Comparison of the statistics with those of XenonPy 0.6.7 itself."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from polyfacet.facets.compimage.element_rebuild import rebuild_elements
from polyfacet.facets.compimage.element_table import check_elements
from polyfacet.facets.compimage.statistics import composition_statistics
from polyfacet.facets.compimage.xenonpy_backend import xenonpy_statistics
from polyfacet.materials.formula import parse_formula

N_COMPOSITIONS = 2000


def assert_the_same_statistics(compositions, elements):
    """Compare with a relative and absolute tolerance of 1e-9; NaN and infinity must be in the same places."""
    assert len(compositions) == N_COMPOSITIONS
    theirs = xenonpy_statistics(compositions, elements)
    ours = composition_statistics(compositions, elements, "xenonpy")
    assert theirs.shape == (N_COMPOSITIONS, 7, 56)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_xenonpy_is_the_release_that_the_published_study_used():
    assert version("xenonpy") == "0.6.7"


def test_statistics_of_random_compositions_agree_with_xenonpy():
    elements = rebuild_elements().table
    rng = np.random.default_rng(0)
    compositions = []
    for i in range(N_COMPOSITIONS):
        n = int(rng.integers(1, 9))
        # Atoms of a formula unit, fractions, and percent (whose products of powers overflow).
        amounts = [rng.integers(1, 13, n).astype(float), rng.dirichlet([1] * n), 100 * rng.dirichlet([1] * n)]
        symbols = rng.choice(elements.index, n, replace=False).tolist()
        compositions.append(dict(zip(symbols, amounts[i % 3].tolist(), strict=True)))
    assert_the_same_statistics(compositions, elements)


def test_statistics_of_real_alloys_agree_with_xenonpy(shared):
    table = pd.read_csv(shared / "data" / "elements" / "elements_completed.csv", index_col=0)
    steels = pd.read_csv(shared / "data" / "alloys" / "nims_steel_360.csv").loc[:, "C":"Mo"]
    glasses = pd.read_csv(shared / "data" / "alloys" / "metallic_glass_gfa_6470.csv")["Alloy"]
    compositions = [row[row > 0].to_dict() for _, row in steels.iterrows()]
    compositions += [parse_formula(alloy) for alloy in glasses[:: len(glasses) // N_COMPOSITIONS]]
    assert_the_same_statistics(compositions[:N_COMPOSITIONS], check_elements(table, "XenonPy"))


def test_missing_properties_give_nan_as_in_xenonpy():
    table = pd.DataFrame({"f": [2.0, np.nan, 8.0]}, index=["H", "He", "Li"])
    compositions = [{"H": 1.0, "Li": 1.0}, {"H": 1.0, "He": 1.0}]
    theirs = xenonpy_statistics(compositions, table)
    np.testing.assert_allclose(composition_statistics(compositions, table, "xenonpy"), theirs, rtol=1e-12)
    assert np.isnan(theirs[1, 0, 0])


def test_no_compositions_give_no_statistics():
    assert xenonpy_statistics([], pd.DataFrame({"f": [1.0]}, index=["H"])).shape == (0, 7, 1)


def test_home_folder_is_not_modified(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    xenonpy_statistics([{"H": 1.0}], pd.DataFrame({"f": [1.0]}, index=["H"]))
    assert Path.home() == tmp_path
    assert not (tmp_path / ".xenonpy").exists()
