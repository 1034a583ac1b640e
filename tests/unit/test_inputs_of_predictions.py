"""Inputs and outputs of predictions that must not be taken for something else."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_bundle import write_made_up_bundle

from polyfacet.runtime.errors import UserError
from polyfacet.training.bundles import distances
from polyfacet.training.bundles.description import MODEL_FOLDER, read_description
from polyfacet.training.engines.creation import load
from polyfacet.use.prediction.inputs import _rows_of_formulas, read_inputs
from polyfacet.use.prediction.output import check_output


@pytest.mark.parametrize(
    ("formula", "is_missing"), [("NaN", True), ("", True), ("None", True), ("NaCl", False)]
)
def test_a_missing_formula_is_no_compound(tmp_path, formula, is_missing):
    path = tmp_path / "new.csv"
    path.write_text(f"id,formula\na,{formula}\n")
    (row,) = _rows_of_formulas(path, "new")
    assert ("reason" in row) is is_missing
    if is_missing:
        assert "formula is missing" in row["reason"]


def test_an_input_is_not_overwritten(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("id,formula\n")
    with pytest.raises(UserError, match="is one of the inputs"):
        check_output(path, [tmp_path / "." / "new.csv"])
    check_output(tmp_path / "out.csv", [path])


def test_rounding_errors_of_distances_are_zero():
    found = distances._without_rounding(np.array([4e-8, 0.0, 1e-3]))
    assert pd.Series(found).tolist() == [0.0, 0.0, 1e-3]


def ids_of(tmp_path: Path, *inputs: Path) -> list[str]:
    """Read inputs for a baseline; return the identifiers of their materials."""
    write_made_up_bundle(tmp_path / "bundle")
    materials, left_out = tmp_path / "materials.parquet", tmp_path / "left_out.parquet"
    read_inputs(inputs, read_description(tmp_path / "bundle"), materials, left_out)
    assert pd.read_parquet(left_out).empty
    return list(pd.read_parquet(materials)["mat_id"])


def test_a_compressed_table_of_formulas_is_read(tmp_path):
    path = tmp_path / "new.csv.gz"
    path.write_bytes(gzip.compress(b"formula\nNaCl\nMgO\n"))
    assert ids_of(tmp_path, path) == ["new-0001", "new-0002"]


def test_tables_of_one_name_do_not_share_identifiers(tmp_path):
    paths = [tmp_path / folder / "new.csv" for folder in ("a", "b")]
    for path, formula in zip(paths, ("NaCl", "MgO"), strict=True):
        path.parent.mkdir()
        path.write_text(f"formula\n{formula}\n")
    assert ids_of(tmp_path, *paths) == ["new-0001", "new_2-0001"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty", None), ("new.csv", "comment\na\n"), ("new.cif.zip", "PK"), ("new.csv", "sep=;\n")],
)
def test_errors_of_inputs_name_no_setting_of_a_run(tmp_path, name, content):
    path = tmp_path / name
    path.mkdir() if content is None else path.write_text(content)
    with pytest.raises(UserError) as caught:
        ids_of(tmp_path, path)
    assert str(path) in str(caught.value)
    assert "`sources`" not in str(caught.value)
    assert "sources:" not in str(caught.value)
    assert "`tables`" not in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace('"gap"', '"e_form"'), r"bundle\.json is damaged: it has changed"),
        (lambda text: text[: len(text) // 2], r"no readable bundle\.json"),
        (lambda text: "[" * 100_000, r"no readable bundle\.json"),
        (lambda text: "3", r"no readable bundle\.json"),
        (lambda text: json.dumps({**json.loads(text), "version": 1}), "has version 1, but"),
    ],
)
def test_a_damaged_description_of_a_bundle_is_named(tmp_path, damage, message):
    write_made_up_bundle(tmp_path)
    path = tmp_path / "bundle.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError, match=message):
        read_description(tmp_path)


def test_a_model_of_another_version_is_named(tmp_path):
    write_made_up_bundle(tmp_path)
    with pytest.raises(UserError, match=r"engine\.json is damaged or of another version"):
        load(tmp_path / MODEL_FOLDER)
