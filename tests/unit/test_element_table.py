import json
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

from build_element_table import main
from polyfacet.facets.compimage import element_rebuild, element_sources
from polyfacet.facets.compimage.element_rebuild import MAGPIE, MENDELEEV, MENDELEEV_VERSION, PYMATGEN, impute
from polyfacet.facets.compimage.element_sources import XENONPY_TABLE, load_element_table
from polyfacet.facets.compimage.element_table import (
    check_elements,
    elements_without_properties,
    read_elements,
)
from polyfacet.facets.compimage.properties import NAMES
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file


@pytest.fixture
def table():
    values = np.arange(3 * 56, dtype=float).reshape(3, 56)
    return pd.DataFrame(values, ["H", "Na", "Fe"], list(NAMES))


@pytest.fixture
def rebuilt():
    if version("mendeleev") != MENDELEEV_VERSION:
        pytest.skip(f"needs mendeleev {MENDELEEV_VERSION}, found {version('mendeleev')}")
    return element_rebuild.rebuild_elements()


def test_there_are_56_distinct_properties_each_with_one_source():
    assert len(NAMES) == len(set(NAMES)) == 56
    assert sorted([*MAGPIE, *PYMATGEN, *MENDELEEV]) == sorted(NAMES)


def test_columns_are_in_the_order_of_the_image_whatever_the_file(table):
    shuffled = table[list(reversed(NAMES))].assign(hhi_p=1.0)
    pd.testing.assert_frame_equal(check_elements(shuffled, "it"), table.rename_axis("element"))


def test_table_without_a_property_raises_user_error(table):
    with pytest.raises(UserError, match=r"it lacks element properties: density, melting_point"):
        check_elements(table.drop(columns=["melting_point", "density"]), "it")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.rename(index={"Na": "Xx"}), r"not \['Xx'\]"),
        (lambda t: t.reset_index(drop=True), r"not \['0', '1', '2'\]"),
        (lambda t: t.iloc[:0], "one row per element"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "more than one row for H"),
        (lambda t: t.assign(density="high"), "not a number"),
    ],
)
def test_invalid_table_raises_user_error(table, change, reason):
    with pytest.raises(UserError, match=reason):
        check_elements(change(table), "it")


def test_elements_missing_from_the_table_are_listed(table):
    assert elements_without_properties({"Fe": 1, "Cm": 2, "H": 1}, table) == ["Cm"]


def test_named_file_takes_precedence_and_is_recorded(tmp_path, table):
    table.loc["H", "density"] = np.nan
    table.to_csv(tmp_path / "mine.csv")
    main(tmp_path / "out.parquet", tmp_path / "provenance.json", source=tmp_path / "mine.csv")
    pd.testing.assert_frame_equal(read_elements(tmp_path / "out.parquet"), table.rename_axis("element"))
    facts = json.loads((tmp_path / "provenance.json").read_text())
    assert facts["source"] == "file"
    assert facts["sha256"] == sha256_of_file(tmp_path / "mine.csv")
    assert facts["table_sha256"] == sha256_of_file(tmp_path / "out.parquet")
    assert (facts["n_elements"], facts["n_properties"], facts["n_missing"]) == (3, 56, 1)


def test_missing_named_file_raises_user_error_without_fallback(tmp_path):
    with pytest.raises(UserError, match=r"absent\.csv cannot be read"):
        load_element_table(tmp_path / "absent.csv", tmp_path)


def test_installed_xenonpy_data_set_is_used(tmp_path, table, monkeypatch):
    path = tmp_path / XENONPY_TABLE
    path.parent.mkdir(parents=True)
    table.to_pickle(path, compression="xz")
    monkeypatch.setattr(element_sources, "XENONPY_SHA256", sha256_of_file(path))
    sourced = load_element_table(None, tmp_path)
    assert sourced.provenance["source"] == "xenonpy"
    pd.testing.assert_frame_equal(sourced.table, table.rename_axis("element"))


def test_a_pickle_of_unknown_content_is_not_opened(tmp_path, table, monkeypatch):
    path = tmp_path / XENONPY_TABLE
    path.parent.mkdir(parents=True)
    table.to_pickle(path, compression="xz")
    monkeypatch.setattr(pd, "read_pickle", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(UserError, match="was not opened"):
        load_element_table(None, tmp_path)


def test_gaps_are_filled_from_the_most_similar_elements():
    x = [0.0, 0.1, 0.2, 10.0, 10.1, 10.2]
    y = [1.0, np.nan, 1.0, 7.0, 7.0, 7.0]
    raw = pd.DataFrame({"x": x, "y": y, "same": 1.0})
    filled = impute(raw)
    assert 1.0 < filled.loc[1, "y"] < 1.5
    pd.testing.assert_frame_equal(filled.drop(index=1), raw.drop(index=1))


def test_other_release_of_mendeleev_raises_user_error(tmp_path, monkeypatch):
    monkeypatch.setattr(element_rebuild, "version", lambda _: "9.9.9")
    with pytest.raises(UserError, match=r"found: 9\.9\.9"):
        load_element_table(None, tmp_path)


def test_the_rebuilt_table_is_complete_and_reproducible(rebuilt):
    assert rebuilt.table.shape == (94, 56)
    assert rebuilt.table.notna().all(axis=None)
    assert list(rebuilt.table.index[[0, 93]]) == ["H", "Pu"]
    assert "He" in rebuilt.imputed_elements()["en_pauling"]
    again = element_rebuild.rebuild_elements()
    pd.testing.assert_frame_equal(rebuilt.table, again.table, check_exact=True)


def test_measured_values_of_the_rebuilt_table_agree_with_xenonpy(rebuilt, shared):
    theirs = pd.read_csv(shared / "data" / "elements" / "elements_completed.csv", index_col=0)
    theirs = check_elements(theirs, "XenonPy")
    ours, measured = rebuilt.table, rebuilt.measured
    differ = (abs(ours - theirs) > 0.01 * abs(theirs) + 1e-12) & measured
    assert int(measured.sum().sum()) == 5030
    assert int(differ.sum().sum()) <= 18
    # Imputed values differ, but correlate with XenonPy's.
    assert min(ours[name].corr(theirs[name]) for name in NAMES) > 0.9
