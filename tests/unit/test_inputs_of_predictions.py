"""Inputs and outputs of predictions that must not be taken for something else."""

import bz2
import gzip
import json
import lzma
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from crystal_files import NACL_CIF, NACL_POSCAR
from handmade import entry, rock_salt
from made_up_bundle import write_made_up_bundle

from polyfacet.config.sources import GivenSource
from polyfacet.config.tables import CompositionColumns
from polyfacet.runtime.errors import UserError
from polyfacet.training.bundles import distances
from polyfacet.training.bundles.description import (
    MODEL_FOLDER,
    BundleDescription,
    TableColumns,
    digest_of,
    read_description,
)
from polyfacet.training.engines.creation import load
from polyfacet.use.prediction import inputs
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
    rejected = tmp_path / "out.csv.rejected.csv"
    rejected.write_text("id,formula\n")
    with pytest.raises(UserError, match=r"overwrite .*out\.csv\.rejected\.csv, which is one of the inputs"):
        check_output(tmp_path / "out.csv", [path, rejected])
    check_output(tmp_path / "out.csv", [path])


def test_an_output_that_is_a_folder_is_an_error_before_anything_is_predicted(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        check_output(tmp_path / "out.csv")


def test_rounding_errors_of_distances_are_zero():
    found = distances._without_rounding(np.array([4e-8, 0.0, 1e-3]))
    assert pd.Series(found).tolist() == [0.0, 0.0, 1e-3]


def made_up(tmp_path: Path) -> BundleDescription:
    """Return the description of a baseline's bundle, which is written once."""
    if not (tmp_path / "bundle").exists():
        write_made_up_bundle(tmp_path / "bundle")
    return read_description(tmp_path / "bundle")


def tables_of(tmp_path: Path, *inputs: GivenSource) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read inputs for a baseline; return their materials, and what is left out."""
    materials, left_out = tmp_path / "materials.parquet", tmp_path / "left_out.parquet"
    read_inputs(inputs, made_up(tmp_path), materials, left_out)
    return pd.read_parquet(materials), pd.read_parquet(left_out)


def ids_of(tmp_path: Path, *inputs: GivenSource) -> list[str]:
    """Read inputs for a baseline; return the identifiers of their materials."""
    materials, left_out = tables_of(tmp_path, *inputs)
    assert left_out.empty
    return list(materials["mat_id"])


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_folders_in_a_name_do_not_make_it_that_of_another_file(tmp_path):
    paths = [written(tmp_path / name, NACL_CIF) for name in ("a/POSCAR.cif", "b/POSCAR.cif", "a-POSCAR.cif")]
    assert ids_of(tmp_path, *paths) == ["a-POSCAR", "a-POSCAR.cif", "b-POSCAR.cif"]


@pytest.mark.parametrize("as_folders", [False, True])
def test_files_of_one_name_are_called_after_their_folders(tmp_path, as_folders):
    paths = [written(tmp_path / f"calc{i}" / "POSCAR", NACL_POSCAR) for i in (1, 2, 3)]
    inputs = [path.parent for path in paths] if as_folders else paths
    assert ids_of(tmp_path, *inputs) == ["calc1-POSCAR", "calc2-POSCAR", "calc3-POSCAR"]


def test_only_what_tells_files_apart_is_added_to_their_names(tmp_path):
    for name, text in {"NaCl.cif": NACL_CIF, "NaCl.vasp": NACL_POSCAR, "b.cif": NACL_CIF}.items():
        written(tmp_path / "a" / name, text)
    deep = [written(tmp_path / top / "relaxed" / "c.cif", NACL_CIF) for top in "xy"]
    found = ids_of(tmp_path, tmp_path / "a", *deep)
    assert found == ["NaCl.cif", "NaCl.vasp", "b", "x-relaxed-c", "y-relaxed-c"]


def test_a_file_that_is_named_twice_is_predicted_once(tmp_path):
    path = written(tmp_path / "a.cif", NACL_CIF)
    materials, left_out = tables_of(tmp_path, path, path)
    assert list(materials["mat_id"]) == ["a"]
    assert left_out["reason"].str.startswith(f"duplicate mat_id: {path}, entry 0 is kept").all()


def test_rows_of_any_identifier_are_predicted(tmp_path):
    names = ["iron oxide", "Fe2O3/Al2O3", "", '"a,b"', "plain"]
    path = written(tmp_path / "new.csv", "id,formula\n" + "".join(f"{name},NaCl\n" for name in names))
    materials, left_out = tables_of(tmp_path, path)
    assert left_out.empty
    by_line = materials.sort_values("position")
    assert [name.rpartition("-")[0] for name in by_line["mat_id"]] == [
        "iron_oxide",
        "Fe2O3_Al2O3",
        "new",
        "a_b",
        "",
    ]
    assert by_line["mat_id"].iloc[2] == "new-0003"
    assert list(by_line["stated_id"]) == ["iron oxide", "Fe2O3/Al2O3", None, "a,b", None]


@pytest.mark.parametrize("column", ["name", "file", "filename", "NAME"])
def test_rows_that_share_a_name_are_all_predicted(tmp_path, capfd, column):
    path = written(tmp_path / "new.csv", f"formula,{column}\nNaCl,salt\nKCl,salt\n")
    materials, left_out = tables_of(tmp_path, path)
    assert dict(zip(materials["mat_id"], materials["formula"], strict=True)) == {
        "new-0001": "NaCl",
        "new-0002": "KCl",
    }
    assert left_out.empty
    assert f"if it identifies them, write {{path: {path}, id: {column}}}" in capfd.readouterr().err
    materials, left_out = tables_of(tmp_path, {"path": str(path), "id": column})
    assert (list(materials["mat_id"]), len(left_out)) == (["salt"], 1)


def test_the_first_of_several_rows_of_one_identifier_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "ROWS_AT_A_TIME", 2)
    rows = ["b,NaCl", "a,MgO", "b,KCl", "c,LiF", "b,CaO", "a,SrO"]
    path = written(tmp_path / "new.csv", "id,formula\n" + "\n".join(rows) + "\n")
    materials, left_out = tables_of(tmp_path, path)
    assert dict(zip(materials["mat_id"], materials["formula"], strict=True)) == {
        "a": "MgO",
        "b": "NaCl",
        "c": "LiF",
    }
    found = left_out.sort_values("position")
    assert list(found["position"]) == [4, 6, 7]
    lines = [reason.rpartition(" ")[2] for reason in found["reason"]]
    assert lines == ["2", "2", "3"]


def test_files_of_any_name_are_predicted_and_their_names_are_kept(tmp_path):
    folder = tmp_path / "new"
    for name in ("with space", "üñí", "plain"):
        written(folder / f"{name}.cif", NACL_CIF)
    materials, left_out = tables_of(tmp_path, folder)
    assert left_out.empty
    assert set(materials["stated_id"]) == {"with space", "üñí", None}


def test_a_csv_of_properties_that_nobody_named_leaves_no_file_out(tmp_path):
    folder = tmp_path / "new"
    for name in "ab":
        written(folder / f"{name}.cif", NACL_CIF)
    written(folder / "id_prop.csv", "a,1\nold,2\n")
    assert ids_of(tmp_path, folder) == ["a", "b"]


MP_20 = pd.DataFrame({"material_id": ["a"], "pretty_formula": ["NaCl"], "cif": [NACL_CIF]}).to_csv()
SALT = rock_salt("Na", "Cl", 5.64)
ALEXANDRIA = json.dumps({"entries": [entry("agm1", SALT)]})
MATBENCH = json.dumps({"index": ["mb-1"], "columns": ["structure"], "data": [[SALT.as_dict()]]})
EXTENDED_XYZ = """2
Lattice="4.0 0.0 0.0 0.0 4.0 0.0 0.0 0.0 4.0" Properties=species:S:1:pos:R:3 id=x pbc="T T T"
Na 0.0 0.0 0.0
Cl 2.0 2.0 2.0
"""


@pytest.mark.parametrize(
    ("name", "content", "mat_id"),
    [
        ("test.csv", MP_20, "a"),
        ("new.extxyz", EXTENDED_XYZ, "x"),
        ("alexandria_000.json", ALEXANDRIA, "agm1"),
        ("matbench_test.json", MATBENCH, "mb-1"),
    ],
)
def test_structures_of_every_format_are_predicted(tmp_path, name, content, mat_id):
    assert ids_of(tmp_path, written(tmp_path / "new" / name, content)) == [mat_id]


def test_a_folder_of_entries_is_predicted(tmp_path):
    assert ids_of(tmp_path, written(tmp_path / "new" / "a.json", ALEXANDRIA).parent) == ["agm1"]


def test_a_folder_may_be_named_like_a_table(tmp_path):
    assert ids_of(tmp_path, written(tmp_path / "new.csv" / "a.cif", NACL_CIF).parent) == ["a"]


def test_a_format_that_is_stated_is_predicted(tmp_path):
    path = written(tmp_path / "new.csv", MP_20)
    assert ids_of(tmp_path, {"path": str(path), "format": "table"}) == ["a"]


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", partial(pa.compress, codec="zstd", asbytes=True)),
    ],
)
def test_a_compressed_table_of_formulas_is_read(tmp_path, ending, compress):
    path = tmp_path / f"new.csv{ending}"
    path.write_bytes(compress(b"formula\nNaCl\nMgO\n"))
    assert ids_of(tmp_path, path) == ["new-0001", "new-0002"]


@pytest.mark.parametrize(
    "header",
    [
        "formula, mat_id",
        " Formula ,mat_id ",
        "formula\u00a0,\u00a0mat_id",
        "\ufeffformula,mat_id",
        '"formula","mat_id"',
    ],
)
def test_white_space_in_the_header_of_formulas_makes_no_difference(tmp_path, header):
    assert ids_of(tmp_path, written(tmp_path / "new.csv", f"{header}\nNaCl,a\nMgO,b\n")) == ["a", "b"]


def test_the_position_of_a_row_of_formulas_is_the_line_where_it_begins(tmp_path):
    rows = 'a,NaCl,"one\ntwo"\nb,Xx,"one\ntwo\nthree"\nc,MgO,\n'
    materials, left_out = tables_of(tmp_path, written(tmp_path / "new.csv", f"id,formula,note\n{rows}"))
    assert dict(zip(materials["mat_id"], materials["position"], strict=True)) == {"a": 2, "c": 7}
    assert list(left_out["position"]) == [4]


def test_tables_of_one_name_do_not_share_identifiers(tmp_path):
    paths = [tmp_path / folder / "new.csv" for folder in ("a", "b")]
    for path, formula in zip(paths, ("NaCl", "MgO"), strict=True):
        path.parent.mkdir()
        path.write_text(f"formula\n{formula}\n")
    assert ids_of(tmp_path, *paths) == ids_of(tmp_path, *reversed(paths)) == ["a-new-0001", "b-new-0001"]


@pytest.mark.parametrize("with_id", [{}, {"id": "sample"}])
def test_a_mapping_of_formulas_may_name_the_column_of_identifiers(tmp_path, with_id):
    path = written(tmp_path / "new.csv", "id,sample,formula\na,x,NaCl\nb,y,MgO\n")
    assert ids_of(tmp_path, {"path": str(path), **with_id}) == (["x", "y"] if with_id else ["a", "b"])


def test_formulas_may_be_their_own_identifiers(tmp_path):
    path = written(tmp_path / "new.csv", "formula\nNaCl\nMgO\n")
    assert ids_of(tmp_path, {"path": str(path), "id": "formula"}) == ["MgO", "NaCl"]


def test_a_column_of_identifiers_that_formulas_lack_is_an_error(tmp_path):
    path = written(tmp_path / "new.csv", "formula\nNaCl\n")
    with pytest.raises(UserError, match="no column 'sample', which its source names as `id`"):
        ids_of(tmp_path, {"path": str(path), "id": "sample"})


def table_with_formulas(path: Path, column: str, content: str = NACL_CIF, formula: str = "Cl4Na4") -> str:
    """Write a table with formulas and structures; return its path."""
    pd.DataFrame({"id": ["a"], "formula": [formula], column: [content]}).to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize("column", ["cif", "relaxed", "poscar"])
@pytest.mark.parametrize("keys", [{}, {"format": "table"}, {"structure": "..."}])
def test_structures_count_more_than_a_column_of_formulas(tmp_path, column, keys):
    content = NACL_POSCAR if column == "poscar" else NACL_CIF
    stated = keys | ({"structure": column} if "structure" in keys else {})
    source = {"path": table_with_formulas(tmp_path / "new.csv", column, content), **stated}
    materials, left_out = tables_of(tmp_path, source)
    assert left_out.empty
    assert list(materials["formula"]) == ["NaCl"]
    assert materials["structure"].notna().all()


def test_a_formula_that_contradicts_its_structure_is_a_reject(tmp_path):
    path = table_with_formulas(tmp_path / "new.csv", "cif", formula="KBr")
    materials, left_out = tables_of(tmp_path, path)
    assert materials.empty
    assert left_out["reason"].iloc[0].startswith("formula is 'KBr', but the structure is NaCl")


@pytest.mark.parametrize("column", ["structure", "cif", "atoms"])
@pytest.mark.parametrize("content", ["", "rocksalt", "2"])
def test_a_column_that_is_only_called_like_structures_does_not_hide_formulas(tmp_path, column, content):
    source = table_with_formulas(tmp_path / "new.csv", column, content, "KBr")
    materials, left_out = tables_of(tmp_path, source)
    assert left_out.empty
    assert list(materials["formula"]) == ["KBr"]


NOTES = {
    "line breaks": "rocksalt\nas in the textbook",
    "words of a CIF": "data_NaCl.cif lacks a cell:\nits _cell_length_a is missing, see _atom_site_fract_x",
    "numbers": "measured three times\n1.0\n2.0\n3.0\n4.0\n5.0\n6.0\n7.0\n8.0",
    "JSON": '{"lattice": "fcc", "sites": 2}',
}


@pytest.mark.parametrize("column", ["structure", "cif", "note"])
@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
@pytest.mark.parametrize("first", ["", "plain"])
def test_a_note_is_not_a_structure_whatever_its_words_and_lines(tmp_path, column, note, first):
    path = tmp_path / "new.csv"
    rows = pd.DataFrame({"id": ["a", "b"], "formula": ["KBr", "NaCl"], column: [first, note]})
    rows.to_csv(path, index=False)
    materials, left_out = tables_of(tmp_path, str(path))
    assert left_out.empty
    assert list(materials["formula"]) == ["KBr", "NaCl"]


TEXTS = {
    "CIF": NACL_CIF,
    "CIF after a comment": f"# made by hand\n{NACL_CIF}",
    "CIF with other line ends": NACL_CIF.replace("\n", "\r\n"),
    "POSCAR": NACL_POSCAR,
    "POSCAR without a title": NACL_POSCAR[NACL_POSCAR.index("\n") :],
    "pymatgen": json.dumps(rock_salt("Na", "Cl", 5.64).as_dict()),
}


@pytest.mark.parametrize("column", ["structure", "relaxed"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_structures_of_every_kind_are_recognized_by_their_text(tmp_path, column, text):
    materials, left_out = tables_of(tmp_path, table_with_formulas(tmp_path / "new.csv", column, text))
    assert left_out.empty
    assert list(materials["formula"]) == ["NaCl"]


def test_a_broken_structure_is_a_reject_and_not_a_formula(tmp_path):
    for key, name in (("_atom_site_fract_x", "no_atoms.csv"), ("_cell_length_a", "no_cell.csv")):
        broken = NACL_CIF.replace(key, "_unknown")
        materials, left_out = tables_of(tmp_path, table_with_formulas(tmp_path / name, "relaxed", broken))
        assert materials.empty
        assert f"{key} is missing" in left_out["reason"].iloc[0]


def test_a_column_of_structures_may_begin_with_an_empty_cell(tmp_path):
    path = tmp_path / "new.csv"
    pd.DataFrame({"id": ["a", "b"], "formula": ["KBr", "NaCl"], "cif": ["", NACL_CIF]}).to_csv(
        path, index=False
    )
    materials, left_out = tables_of(tmp_path, str(path))
    assert list(materials["formula"]) == ["NaCl"]
    assert "missing" in left_out["reason"].iloc[0]


def test_properties_of_new_crystals_can_be_ignored(tmp_path):
    folder = tmp_path / "crystals"
    folder.mkdir()
    written(folder / "a.cif", NACL_CIF)
    written(folder / "id_prop.csv", "b,1.0\n")
    materials, left_out = tables_of(tmp_path, {"path": str(folder), "properties": False})
    assert (len(materials), len(left_out)) == (1, 0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"format": "table"}, "has no column of structures"),
        ({"format": "extxyz"}, "is not a number of atoms"),
        ({"structure": "relaxed"}, "no column 'relaxed', which its source names as `structure`"),
        ({"properties": "gaps.csv"}, "is read as `table`, which does not use `properties`"),
    ],
)
def test_keys_of_structures_are_not_ignored_for_formulas(tmp_path, keys, message):
    path = written(tmp_path / "new.csv", "id,formula\na,NaCl\n")
    with pytest.raises(UserError, match=message):
        ids_of(tmp_path, {"path": str(path), **keys})


def test_formulas_without_rows_are_an_error(tmp_path):
    with pytest.raises(UserError, match="has a header but no rows"):
        ids_of(tmp_path, written(tmp_path / "new.csv", "id,formula\n"))


def test_the_csv_of_properties_is_used_if_its_column_is_named(tmp_path):
    written(tmp_path / "new" / "a.cif", NACL_CIF)
    source = {"path": str(tmp_path / "new"), "id": "sample"}
    with pytest.raises(UserError, match="names the column 'sample' .* but has no such CSV"):
        ids_of(tmp_path, source)
    written(tmp_path / "new" / "id_prop.csv", "name,sample,gap\nx,a.cif,1\n")
    assert ids_of(tmp_path, source) == ["a.cif"]


def rows_of_table(tmp_path: Path, *inputs: GivenSource) -> list[str]:
    """Read inputs for a bundle of a table of iron and chromium; return the identifiers of their rows."""
    columns = TableColumns(
        id=None, composition=CompositionColumns(columns=["Fe", "Cr"]), process=(), elements=("Fe", "Cr")
    )
    bundle = made_up(tmp_path).model_copy(update={"table": columns})
    read_inputs(inputs, bundle, tmp_path / "materials.parquet", tmp_path / "left_out.parquet")
    return list(pd.read_parquet(tmp_path / "materials.parquet")["mat_id"])


def test_a_mapping_of_a_table_may_name_the_column_of_identifiers(tmp_path):
    path = written(tmp_path / "new.csv", "Sample,Fe,Cr\nx,1,2\n")
    assert rows_of_table(tmp_path, path) == ["new-0001"]
    assert rows_of_table(tmp_path, {"path": str(path), "id": "Sample"}) == ["x"]
    with pytest.raises(UserError, match="sample"):
        rows_of_table(tmp_path, {"path": str(path), "id": "sample"})


def test_rows_of_a_table_without_identifiers_may_have_their_own(tmp_path):
    path = written(tmp_path / "new.csv", "mat_id,Fe,Cr\nx,1,2\ny,2,1\n")
    assert rows_of_table(tmp_path, path) == ["x", "y"]


def test_new_tables_of_one_name_do_not_share_identifiers(tmp_path):
    paths = [written(tmp_path / folder / "new.csv", "Fe,Cr\n1,2\n") for folder in "ab"]
    assert rows_of_table(tmp_path, *paths) == ["a-new-0001", "b-new-0001"]


@pytest.mark.parametrize("key", ["format", "structure", "properties"])
def test_keys_of_structures_are_an_error_for_a_bundle_of_a_table(tmp_path, key):
    path = written(tmp_path / "new.csv", "Fe,Cr\n1,2\n")
    with pytest.raises(UserError, match=f"has `{key}`, which only structures have"):
        rows_of_table(tmp_path, {"path": str(path), key: "table"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", r"the bundle is of a table, but .*folder is a folder\. Name a CSV"),
        ("new.tsv", r"the bundle is of a table, but .*new\.tsv is tab-separated, by its name"),
        ("new.TSV.gz", r"is tab-separated, by its name\. Name a CSV .*commas"),
    ],
)
def test_what_is_no_csv_is_explained_for_a_bundle_of_a_table(tmp_path, name, message):
    path = tmp_path / name
    path.mkdir() if name == "folder" else path.write_text("Fe\tCr\n1\t2\n")
    with pytest.raises(UserError, match=message):
        rows_of_table(tmp_path, path)


def test_two_columns_of_formulas_are_an_error(tmp_path):
    path = written(tmp_path / "new.csv", "formula,Formula\nNaCl,MgO\n")
    with pytest.raises(UserError, match="several columns of formulas"):
        ids_of(tmp_path, path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "new.csv", "identifier": "name"}, "unknown key identifier"),
        ({"format": "table"}, "path is missing"),
        ({"path": "new.csv", "format": "csv"}, "format = 'csv': should be"),
        ("", "path = '': should have at least 1 character"),
    ],
)
def test_a_wrong_mapping_is_an_error_that_names_the_key(tmp_path, given, message):
    with pytest.raises(UserError, match=message):
        ids_of(tmp_path, given)


def test_nothing_to_predict_is_an_error(tmp_path):
    with pytest.raises(UserError, match="nothing to predict"):
        ids_of(tmp_path)


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
        (lambda text: json.dumps({**json.loads(text), "version": "2"}), "its version is the text '2'"),
    ],
)
def test_a_damaged_description_of_a_bundle_is_named(tmp_path, damage, message):
    write_made_up_bundle(tmp_path)
    path = tmp_path / "bundle.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError, match=message):
        read_description(tmp_path)


@pytest.mark.parametrize("section", ["images", "graphs"])
def test_a_bundle_with_settings_of_another_version_is_named(tmp_path, section):
    write_made_up_bundle(tmp_path)
    path = tmp_path / "bundle.json"
    content = json.loads(path.read_text())
    del content["digest"]
    content["settings"][section]["unheard_of"] = 1
    content["versions"] = {"numpy": "9.9"}
    path.write_text(json.dumps({**content, "digest": digest_of(content)}))
    with pytest.raises(UserError, match="made by another version of Polyfacet, with the same") as caught:
        read_description(tmp_path)
    said = str(caught.value)
    assert f"settings.{section}.unheard_of: Extra inputs are not permitted in bundle.json" in said
    assert said.endswith("It was made with numpy 9.9.")


def test_a_model_of_another_version_is_named(tmp_path):
    write_made_up_bundle(tmp_path)
    with pytest.raises(UserError, match=r"engine\.json is damaged or of another version"):
        load(tmp_path / MODEL_FOLDER)
