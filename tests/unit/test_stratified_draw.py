"""Draws that cover the range of an objective evenly."""

import itertools
import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
from crystal_files import Sampled, write_files
from handmade import entry, rock_salt, structures, write_entries

from polyfacet.config.completion import complete_config
from polyfacet.runtime.errors import UserError
from polyfacet.sources.strata import Strata, with_column

NACL = rock_salt("Na", "Cl", 5.64)
GAP = {"objective": "gap", "column": None, "strata": 4}


def skewed(n=60):
    """Return entries of which nearly all are metals."""
    return [entry(f"m{i:03d}", NACL, band_gap_ind=0.0 if i % 6 else 0.1 * i) for i in range(n)]


def sampled(tmp_path, items, n, stratify=GAP, **settings):
    path = write_entries(tmp_path / "e.json", items)
    return Sampled(tmp_path, path, n_materials=n, stratify=stratify, **settings)


def test_each_stratum_gives_the_same_number_as_long_as_it_has_any(tmp_path):
    found = sampled(tmp_path, skewed(), 8)
    gaps = [row["gap"] for row in found.rows]
    counts = np.histogram(gaps, bins=4, range=(0.0, 5.4))[0]
    assert counts.tolist() == [2, 2, 2, 2]
    strata = found.summary["strata"]
    assert [stratum["sampled"] for stratum in strata] == [2, 2, 2, 2, 0]
    assert sum(stratum["available"] for stratum in strata) == 60
    assert (strata[0]["from"], strata[3]["to"]) == (0.0, pytest.approx(5.4))
    assert strata[4] == {"from": None, "to": None, "available": 0, "sampled": 0}


@pytest.mark.parametrize("seed", range(4))
def test_samples_of_a_seed_are_nested(tmp_path, seed):
    samples = [set(sampled(tmp_path, skewed(), n, seed=seed).ids) for n in (1, 5, 13, 40, 60)]
    assert [len(each) for each in samples] == [1, 5, 13, 40, 60]
    assert all(small < large for small, large in itertools.pairwise(samples))


@pytest.mark.parametrize("threads", [1, 2])
def test_order_and_files_do_not_matter(tmp_path, threads):
    expected = sampled(tmp_path, skewed(), 12).rows
    items = skewed()
    random.Random(1).shuffle(items)
    (tmp_path / "parts").mkdir()
    for i in range(3):
        write_entries(tmp_path / "parts" / f"{i}.json", items[i::3])
    found = Sampled(tmp_path, tmp_path / "parts", n_materials=12, stratify=GAP, threads=threads)
    names = [name for name in expected[0] if not name.startswith("source_")]
    assert [[row[name] for name in names] for row in found.rows] == [
        [row[name] for name in names] for row in expected
    ]


def test_duplicates_count_once(tmp_path):
    items = [*skewed(), *skewed(), entry("m000", NACL, band_gap_ind=5.0)]
    found = sampled(tmp_path, items, 8)
    assert len(found.ids) == len(set(found.ids)) == 8
    assert found.summary["duplicate"] == 61


def test_all_materials_are_all_materials(tmp_path):
    assert len(sampled(tmp_path, skewed(), "all").ids) == 60


def test_unknown_values_come_last(tmp_path):
    folder = write_files(tmp_path / "crystals", structures())
    values = ["", "x", "nan", "1,5", *(str(0.1 * i) for i in range(11))]
    rows = [f"{name},{value!r}".replace("'", '"') for name, value in zip(structures(), values, strict=True)]
    (folder / "id_prop.csv").write_text("\n".join(["id,K (GPa)", *rows]))
    stratify = with_column({"objective": "k", "strata": 3}, ["gap", {"name": "k", "column": "K (GPa)"}])
    known = sorted(structures())[4:]
    found = Sampled(tmp_path, folder, n_materials=11, stratify=stratify)
    assert found.ids == known
    found = Sampled(tmp_path, folder, n_materials=13, stratify=stratify)
    assert set(known) < set(found.ids)
    assert found.summary["strata"][-1] == {"from": None, "to": None, "available": 4, "sampled": 2}


def test_derived_objectives_stratify_all_sources(tmp_path):
    folder = write_files(tmp_path / "crystals", structures())
    volume = {"objective": "vol_atom", "column": None, "strata": 5}
    found = Sampled(tmp_path, folder, n_materials=5, stratify=volume)
    strata = found.summary["strata"]
    assert sum(stratum["available"] for stratum in strata[:-1]) == 15
    assert all(stratum["sampled"] == 1 for stratum in strata[:-1] if stratum["available"])


@pytest.mark.parametrize(
    "values", [[1.0, 1.0, 1.0], [np.nan, np.nan, np.nan], [np.nan, 2.0, 2.0], [-1e300, 0.0, 1e300]]
)
def test_any_range_can_be_divided(values):
    strata = Strata("y", "y", 7)
    order = strata.order(np.array([3, 1, 2], np.uint64), np.array(values))
    assert sorted(order.tolist()) == [0, 1, 2]
    table = strata.table(np.array(values), np.ones(3, bool))
    assert sum(stratum["available"] for stratum in table) == 3
    json.dumps(table, allow_nan=False)


def test_the_configuration_asks_for_a_size():
    with pytest.raises(UserError, match=r"state the size of the sample(.|\n)*n_materials: 1000"):
        complete_config({"stratify": {"objective": "gap"}})
    config = complete_config({"stratify": {"objective": "gap"}, "n_materials": 100})
    assert config["stratify"] == {"objective": "gap", "strata": 10}
    assert with_column(config["stratify"], config["objectives"])["column"] is None


@pytest.mark.parametrize(
    "stratify", [{"objective": "gapp", "column": None}, {"objective": "k", "column": "K"}]
)
def test_nothing_to_stratify_by_is_an_error(tmp_path, stratify):
    folder = write_files(tmp_path / "crystals", structures())
    with pytest.raises(UserError, match="no material has a number for"):
        Sampled(tmp_path, folder, n_materials=5, stratify={**stratify, "strata": 3})


def test_classes_have_no_strata():
    with pytest.raises(UserError, match="has classes"):
        with_column({"objective": "k", "strata": 3}, [{"name": "k", "classes": ["a", "b"]}])


def test_nested_columns_stratify_and_marks_of_missing_values_do_not():
    strata = Strata("k", "elasticity.K", 2)
    data = {"elasticity": {"K": 3.5}}, {"elasticity": {"K": -999}}, {"elasticity": {"K": "1_0"}}
    found = [strata.value_of(SimpleNamespace(data=json.dumps(each), objectives={})) for each in data]
    assert found == [3.5, None, None]
