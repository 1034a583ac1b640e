"""Facets made by a function: accepted return values, and the reasons for rejecting others."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageFile

import make_facet
from polyfacet.facets.declaration import Facet, FacetError
from polyfacet.facets.making import make_row
from polyfacet.runtime import plugins
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.picture_decoding import decode_png
from polyfacet.runtime.plugins import use_plugins

FACET = """
import fakelib
from polyfacet.facets.declaration import Facet
LENGTH = Facet("length", "length", "vector", needs="formula", make=lambda formula: [fakelib.VALUE])
"""


def test_a_kept_facet_is_made_again_when_a_library_of_its_plug_in_changes(tmp_path, monkeypatch):
    plugin, sample = tmp_path / "length.py", tmp_path / "sample.parquet"
    plugin.write_text(FACET)
    materials = pa.table({"mat_id": ["a", "b"], "formula": ["NaCl", "KCl"]})
    pq.write_table(materials, sample)
    monkeypatch.setattr(make_facet, "read_shard", lambda path, *_: pq.read_table(path).to_pandas())
    kept = tmp_path / "kept" / "shard-0-of-1"

    def values_with(version):
        monkeypatch.setattr(plugins, "_of_run", {})
        monkeypatch.setitem(sys.modules, "fakelib", SimpleNamespace(VALUE=float(version)))
        versions = {plugin: f"fakelib {version}"}
        monkeypatch.setattr(make_facet, "package_versions", lambda *files: str([versions[x] for x in files]))
        use_plugins([str(plugin)])
        table, rejected, provenance = (tmp_path / name for name in ("t.parquet", "r.parquet", "p.json"))
        options = {"facet": "length", "shard": 0, "n_shards": 1, "max_rejected_fraction": 0.0}
        make_facet.main(table, rejected, provenance=provenance, sample=sample, kept=kept, **options)
        counts = json.loads(provenance.read_text())
        return read_table(table)["values"].map(list).tolist(), counts["made"]

    assert values_with("1") == ([[1.0], [1.0]], 2)
    assert values_with("1") == ([[1.0], [1.0]], 0)
    assert values_with("2") == ([[2.0], [2.0]], 2)


def test_a_function_can_be_named_by_its_module():
    facet = Facet("length", "length", "text", needs="formula", make="textwrap:dedent")
    assert make_row(facet, "m1", "  NaCl", None)["text"] == "NaCl"
    assert facet.file is not None
    assert facet.file.name == "textwrap.py"


@pytest.mark.parametrize("make", ["textwrap", "textwrap.dedent", 3])
def test_what_is_neither_a_function_nor_names_one_is_refused(make):
    with pytest.raises(ValueError, match="must be a function or 'module:function'"):
        Facet("length", "length", "text", needs="formula", make=make)


def picture_of(value):
    return Facet("pic", "picture", "image", needs="formula", make=lambda formula: value)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_eight_bit_picture_is_written(tmp_path, mode):
    row = make_row(picture_of(Image.new(mode, (3, 2), 1)), "m1", "NaCl", tmp_path)
    assert row["image"] == "m1.png"
    assert decode_png((tmp_path / "m1.png").read_bytes()).size == (3, 2)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.zeros((2, 2), np.uint8), "pic is not a Pillow image: ndarray"),
        (None, "pic is not a Pillow image: NoneType"),
        (Image.new("F", (2, 2)), "pic is a picture in mode F, not one of 1, L, LA, P, RGB, RGBA"),
        (Image.new("I", (2, 2)), "pic is a picture in mode I,"),
        (Image.new("CMYK", (2, 2)), "pic is a picture in mode CMYK,"),
        (Image.new("L", (0, 2)), "pic is a picture of 0 x 2 pixels"),
    ],
)
def test_value_that_cannot_be_a_png_is_rejected(tmp_path, value, reason):
    with pytest.raises(FacetError, match=reason):
        make_row(picture_of(value), "m1", "NaCl", tmp_path)
    assert not list(tmp_path.iterdir())


def test_truncated_picture_is_a_reject_and_not_a_machine_failure(tmp_path, monkeypatch):
    # Importing AutoGluon, as other tests do, switches it on.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    whole = tmp_path / "whole.png"
    Image.effect_noise((64, 64), 50).save(whole)
    (tmp_path / "short.png").write_bytes(whole.read_bytes()[:2000])
    with (
        Image.open(tmp_path / "short.png") as picture,
        pytest.raises(FacetError, match="pic cannot be written as a PNG"),
    ):
        make_row(picture_of(picture), "m1", "NaCl", tmp_path)
    assert not (tmp_path / "m1.png").exists()
