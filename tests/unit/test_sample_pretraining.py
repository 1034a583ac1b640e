"""Materials for pretraining: outside the sample, with other formulas, nested."""

import json

import pytest
from handmade import entries, entry, rock_salt, structures, write_entries

import sample
import sample_pretraining
from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table

DRAW = {"seed": 3, "filters": {}, "magnetization": "absolute"}


@pytest.fixture
def folder(tmp_path):
    """A folder with entries, and a sample of six of them."""
    write_entries(tmp_path / "entries.json", entries())
    sample.main(
        [tmp_path / "entries.json"],
        tmp_path / "sample.parquet",
        tmp_path / "rejected.parquet",
        tmp_path / "summary.json",
        n_materials=6,
        max_rejected_fraction=0.05,
        **DRAW,
    )
    return tmp_path


def draw(folder, n, threads=1):
    sample_pretraining.main(
        sorted(folder.glob("*.json.gz")) or [folder / "entries.json"],
        folder / "sample.parquet",
        folder / "pretraining.parquet",
        folder / "pretraining.json",
        n_materials=n,
        threads=threads,
        **DRAW,
    )
    counts = json.loads((folder / "pretraining.json").read_text())
    return set(read_table(folder / "pretraining.parquet", SAMPLE)["mat_id"]), counts


def test_neither_materials_nor_formulas_of_the_sample_are_drawn(folder):
    sampled = read_table(folder / "sample.parquet", SAMPLE)
    known = structures()[sampled["mat_id"][0]]
    polymorph = entry("polymorph", known.copy().apply_strain(0.1))
    write_entries(folder / "entries.json", [*entries(), polymorph])
    drawn, counts = draw(folder, 1000)
    assert not drawn & {"polymorph", *sampled["mat_id"]}
    assert counts["in the sample"] == 6
    assert counts["formula in the sample"] >= 1
    assert counts["drawn"] == len(drawn) == counts["read"] - 6 - counts["formula in the sample"]


def test_draws_are_nested(folder):
    few, more = draw(folder, 2)[0], draw(folder, 5)[0]
    assert len(few) == 2
    assert few < more


def test_files_read_in_parallel_give_the_same_sample(folder):
    alone = draw(folder, 5)
    for i in range(3):
        write_entries(folder / f"{i}.json.gz", entries()[i::3])
    assert draw(folder, 5, threads=2) == alone


def test_an_empty_draw_is_reported(folder):
    kept = set(read_table(folder / "sample.parquet", SAMPLE)["mat_id"])
    write_entries(folder / "entries.json", [e for e in entries() if e["data"]["mat_id"] in kept])
    with pytest.raises(UserError, match="graphs.pretrain"):
        draw(folder, 5)


@pytest.mark.parametrize("spelling", ["ClNa", "Na2Cl2", "Na Cl"])
def test_a_formula_of_the_sample_is_not_drawn_in_another_spelling(folder, spelling):
    write_entries(folder / "entries.json", [entry("sampled", rock_salt("Na", "Cl", 5.64))])
    sample.main(
        [folder / "entries.json"],
        *(folder / name for name in ("sample.parquet", "rejected.parquet", "summary.json")),
        n_materials="all",
        max_rejected_fraction=0.05,
        **DRAW,
    )
    polymorph = entry("polymorph", rock_salt("Na", "Cl", 5.0), formula=spelling)
    write_entries(folder / "entries.json", [polymorph, entry("other", rock_salt("K", "Br", 6.6))])
    drawn, counts = draw(folder, 10)
    assert drawn == {"other"}
    assert counts["formula in the sample"] == 1
