"""Folders of CIF and POSCAR files, with and without a CSV of properties."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest
from crystal_files import NACL_CIF, NACL_POSCAR, Sampled, write_files
from handmade import structures
from pymatgen.core import Lattice, Structure

from polyfacet.materials.column_reading import read_column, rows_of_sample
from polyfacet.materials.stated_values import STATED_IN
from polyfacet.runtime.errors import UserError
from polyfacet.sources.structures.names import is_structure_file_name, without_ending


@pytest.fixture
def folder(tmp_path):
    """Fifteen CIF files."""
    return write_files(tmp_path / "crystals", structures())


@pytest.mark.parametrize("ending", [".cif", ".vasp"])
def test_files_are_read_as_they_are(tmp_path, ending):
    found = Sampled(tmp_path, write_files(tmp_path / "crystals", structures(), ending))
    assert found.ids == sorted(structures())
    for row in found.rows:
        expected = structures()[row["mat_id"]]
        assert row["formula"] == expected.composition.reduced_formula
        assert row["n_sites"] == 2
        assert row["volume"] == pytest.approx(expected.volume, rel=1e-6)
        assert row["source_file"].endswith(f"{row['mat_id']}{ending}")
        assert row["data"] == "{}"
        assert row["gap"] is None
        read = Structure.from_str(row["structure"], fmt="json")
        assert np.allclose(read.distance_matrix, expected.distance_matrix, atol=1e-6)
    assert found.summary["files"] == 15


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.cif", NACL_CIF),
        ("a.CIF", NACL_CIF),
        ("a.mcif", NACL_CIF),
        ("a.cif.gz", NACL_CIF),
        ("a.vasp", NACL_POSCAR),
        ("POSCAR", NACL_POSCAR),
        ("POSCAR_a", NACL_POSCAR),
        ("CONTCAR-a.gz", NACL_POSCAR),
        ("a.poscar", NACL_POSCAR),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_names_and_encodings(tmp_path, name, content, encoding):
    if encoding == "latin-1":
        content = f"# déjà\n{content}" if "data_" in content else content.replace("NaCl", "déjà", 1)
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_bytes((gzip.compress if name.endswith(".gz") else bytes)(content.encode(encoding)))
    # In a folder and on its own.
    for source in (path.parent, path):
        found = Sampled(tmp_path, source)
        assert [row["formula"] for row in found.rows] == ["NaCl"]
        assert found.ids == [without_ending(name)]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.b.cif", "a.b"),
        ("A.CIF.GZ", "A"),
        ("POSCAR-1.vasp", "POSCAR-1"),
        ("x.poscar", "x"),
        ("POSCAR", "POSCAR"),
        ("CONTCAR2", "CONTCAR2"),
    ],
)
def test_identifiers_are_names_without_ending(name, stem):
    assert is_structure_file_name(name)
    assert without_ending(name) == stem


@pytest.mark.parametrize(
    "name", ["x.cif.bak", "cif", ".cif.swp", "MYPOSCAR", "POSCAR1.txt.zip", "a.json", "x.gz"]
)
def test_other_names(name):
    assert not is_structure_file_name(name)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("test000,1.5\ntest001,2\n", ["id", "property"]),
        ("test000.cif,1.5\ntest001.cif,x\n", ["id", "property"]),
        ("test000,a,b\ntest001,c,d\n", ["id", "property_1", "property_2"]),
        ("id,gap\ntest000,1.5\ntest001,2\n", ["id", "gap"]),
        ("file,300,400\ntest000,1.5,2\ntest001,2,3\n", ["file", "300", "400"]),
        ("\ufeffmaterial_id , gap (eV)\r\ntest000,1.5\r\ntest001,\r\n", ["material_id", "gap (eV)"]),
        ("gap,name\n1.5,test000\n-,test001\n", ["gap", "name"]),
        ('file,"a,b"\ntest000.cif,1\n\ntest001.cif,2\n', ["file", "a,b"]),
        ("id,\ntest000,1\ntest001,2\n", ["id", "column_2"]),
    ],
)
def test_rows_belong_to_files_with_or_without_header(tmp_path, folder, text, columns):
    (folder / "id_prop.csv").write_text(text, newline="")
    found = Sampled(tmp_path, folder)
    assert {mat_id.removesuffix(".cif") for mat_id in found.ids} == {"test000", "test001"}
    stated = list(found.data.values())
    origins = [data.pop(STATED_IN) for data in stated]
    shown = [text.splitlines()[line - 1] for _, line in origins]
    assert all(mat_id in line for mat_id, line in zip(found.ids, shown, strict=True))
    assert {Path(file).suffix for file, _ in origins} == {".csv"}
    assert [list(data) for data in stated] == [columns] * 2
    # Values are not interpreted: what a number is, objectives decide.
    assert all(isinstance(value, str) for data in stated for value in data.values())
    assert set(found.reasons.values()) == {"no row of id_prop.csv names this file"}
    assert found.summary["invalid"] == 13
    assert found.summary["files_left_out"] == []


@pytest.mark.parametrize(
    "text",
    ["id,file,gap\n1,test000,5\n2,test001.cif,6\n", "name,gap,id\nNaCl,5,test000\nMgO,6,test001\n"],
)
def test_the_column_that_names_files_is_found_by_its_content(tmp_path, folder, text):
    (folder / "id_prop.csv").write_text(text)
    assert [mat_id.removesuffix(".cif") for mat_id in Sampled(tmp_path, folder).ids] == ["test000", "test001"]


def test_a_decimal_comma_in_the_first_row_is_not_another_column(tmp_path, folder):
    (folder / "id_prop.csv").write_text("test000,5,02\ntest001,4.45\ntest002,4\n")
    found = Sampled(tmp_path, folder)
    assert found.ids == ["test001", "test002"]
    assert found.data["test001"]["property"] == "4.45"
    assert "a decimal comma" in found.reasons["id_prop.csv:None"]


@pytest.mark.parametrize(
    ("ending", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".lzma", lzma.compress)],
)
def test_a_compressed_csv_is_found(tmp_path, folder, ending, compress):
    (folder / f"id_prop.csv{ending}").write_bytes(compress(b"test000,1.5\ntest001,2\n"))
    found = Sampled(tmp_path, folder)
    assert found.ids == ["test000", "test001"]
    assert found.summary["files_left_out"] == []


def test_duplicates_do_not_count_as_rejects(tmp_path, folder):
    other = tmp_path / "again.csv"
    other.write_text('id,cif\ntest000,"' + (folder / "test000.cif").read_text().replace('"', '""') + '"\n')
    found = Sampled(tmp_path, folder, other, max_rejected_fraction=0.0)
    (reason,) = found.reasons.values()
    assert reason.startswith("duplicate mat_id: ")
    (folder / "id_prop.csv").write_text("".join(f"{name},1\n" for name in (*structures(), "test000")))
    with pytest.raises(UserError, match="duplicate identifier"):
        Sampled(tmp_path, folder, max_rejected_fraction=0.0)


@pytest.mark.parametrize("place", ["in the folder", "elsewhere"])
def test_the_csv_and_its_column_can_be_named(tmp_path, folder, place):
    path = folder / "table.csv" if place == "in the folder" else tmp_path / "table.csv"
    path.write_text("number,crystal\n1,test000\n2,test001\n")
    source = {
        "path": str(folder),
        "properties": path.name if path.parent == folder else str(path),
        "id": "crystal",
    }
    found = Sampled(tmp_path, source)
    assert found.data["test001"] == {"number": "2", "crystal": "test001", STATED_IN: [str(path), 3]}


@pytest.mark.parametrize("header", ["id,gap\n", "gap,file\n", ""])
def test_files_may_be_named_as_paths_in_their_folder(tmp_path, folder, header):
    rows = [f"./{name}.cif,1.5" if "gap,file" not in header else f"1.5,./{name}.cif" for name in structures()]
    (folder / "id_prop.csv").write_text(header + "\n".join(rows))
    found = Sampled(tmp_path, folder)
    assert found.ids == [f"{name}.cif" for name in structures()]


def test_rows_and_files_that_do_not_belong_together_are_rejects(tmp_path, folder):
    write_files(folder, {"test000": structures()["test001"]}, ".vasp")
    rows = ["id,gap", *(f"{name},1" for name in structures() if name != "test003")]
    rows += ["absent,1", "test001,2", "test002,1,3", ",4", "test000.vasp,5", "test004.cif,6"]
    (folder / "id_prop.csv").write_text("\n".join(rows))
    found = Sampled(tmp_path, folder)
    too_long = [key for key, reason in found.reasons.items() if "cells" in reason]
    assert found.reasons[too_long[0]].startswith(
        "line 18: the row has 3 cells, but the header has 2; a decimal comma"
    )
    reasons = {key: reason for key, reason in found.reasons.items() if key not in too_long}
    assert reasons == {
        "id_prop.csv:test000": "several files have this name (test000.cif, test000.vasp): write it with its "
        "ending",
        "id_prop.csv:absent": f"no structure file of this name is in {folder}",
        "id_prop.csv:test001": "duplicate identifier, first in line 3",
        "id_prop.csv:": "the identifier is missing",
        "id_prop.csv:test004.cif": "duplicate identifier, first in line 5",
        "test000.cif:test000": "no row of id_prop.csv names this file",
        "test003.cif:test003": "no row of id_prop.csv names this file",
    }
    assert "test000.vasp" in found.ids
    positions = {row["reason"]: row["source_position"] for row in found.rejected}
    assert positions["the identifier is missing"] == 19


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "id_prop.csv is empty"),
        ("id,gap\n", "has a header but no rows"),
        ("a,b\nx,y\n", "has no column that names structure files; its columns are"),
        ("id,gap,gap\ntest000,x,2\n", r"more than one column \['gap'\]"),
        ('id,gap\ntest000,"1\n', "quotation mark is not closed"),
        ("PK\3\4abc", "an Excel workbook or a ZIP archive"),
        ("id;gap\ntest000;1,5\n", "line 1 is separated by semicolons, not by commas .* Save the file"),
        ("test000;1,5\ntest001;2,5\n", "line 1 is separated by semicolons"),
        ("Gap;Sample\n1,5;test000\n", "line 1 is separated by semicolons"),
        ("Gap;File\n1,5;test000.cif\n", "line 1 is separated by semicolons"),
        ("file\tgap\ntest000\t1.5\n", "line 1 is separated by tabs"),
        ("test000\t1.5\n", "line 1 is separated by tabs"),
        ('"id";"gap"\n"test000";"1,5"\n', "line 1: .*if semicolons or tabs separate the cells"),
    ],
)  # fmt: skip
def test_a_csv_that_cannot_be_used_is_an_error_that_names_it(tmp_path, folder, text, message):
    (folder / "id_prop.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        Sampled(tmp_path, folder)
    assert str(folder / "id_prop.csv") in str(error.value)


def test_a_csv_in_another_encoding_is_an_error_that_names_the_line(tmp_path, folder):
    (folder / "id_prop.csv").write_bytes("id,Bemerkung\ntest000,schön\n".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8: line 2 has the byte 0xf6"):
        Sampled(tmp_path, folder)


def test_a_missing_csv_or_column_is_an_error(tmp_path, folder):
    with pytest.raises(UserError, match=r"absent\.csv cannot be read"):
        Sampled(tmp_path, {"path": str(folder), "properties": "absent.csv"})
    (folder / "id_prop.csv").write_text("id,gap\ntest000,1\n")
    with pytest.raises(UserError, match=r"no column \['jid'\]; its columns are \['id', 'gap'\]"):
        Sampled(tmp_path, {"path": str(folder), "id": "jid"})


def test_a_file_whose_name_is_not_utf_8_is_read_and_spelled_out(tmp_path, folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/Li\xe4F.cif")).write_text(NACL_CIF)
    found = Sampled(tmp_path, folder)
    assert not found.rejected
    assert len(found.rows) == 16
    (read,) = (row for row in found.rows if row["mat_id"].startswith("Li_udce4F-"))
    assert read["source_file"] == f"{folder}/Li\\udce4F.cif"


def test_other_things_in_the_folder_are_named(tmp_path, folder, capfd):
    (folder / "README.md").write_text("x")
    (folder / ".hidden.cif").write_text(NACL_CIF)
    (folder / "deeper").mkdir()
    (folder / "gone.cif").symlink_to(folder / "nowhere.cif")
    (folder / "linked.cif").symlink_to(folder / "test000.cif")
    os.mkfifo(folder / "pipe.cif")
    found = Sampled(tmp_path, folder)
    left_out = {item["file"].rpartition("/")[2]: item["reason"] for item in found.summary["files_left_out"]}
    assert left_out.keys() == {"README.md", ".hidden.cif", "deeper", "gone.cif", "pipe.cif"}
    assert "which does not exist" in left_out["gone.cif"]
    assert left_out["pipe.cif"] == "not a regular file"
    assert len(found.ids) == 16
    assert "left out: " in capfd.readouterr().err


def test_a_folder_of_several_formats_is_an_error(tmp_path, folder):
    (folder / "entries.json").write_text("[]")
    with pytest.raises(UserError, match=r"both structure files \(15\) and files of entries \(1\)"):
        Sampled(tmp_path, folder)
    found = Sampled(tmp_path, {"path": str(folder), "format": "files"})
    assert len(found.ids) == 15


def test_the_element_table_of_cgcnn_is_no_file_of_entries(tmp_path, folder):
    (folder / "atom_init.json").write_text('{"1": [0, 1]}')
    assert len(Sampled(tmp_path, folder).ids) == 15


@pytest.mark.parametrize("source", ["empty", "absent"])
def test_a_source_without_files_is_an_error(tmp_path, source):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=f"{source}"):
        Sampled(tmp_path, {"path": str(tmp_path / source), "format": "files"})


@pytest.mark.parametrize("threads", [1, 3])
def test_samples_are_nested_and_the_same_for_any_number_of_processes(tmp_path, folder, threads, monkeypatch):
    monkeypatch.setattr("polyfacet.sources.structures.files.FILES_PER_PART", 4)
    whole = Sampled(tmp_path, folder)
    samples = [Sampled(tmp_path, folder, n_materials=n, threads=threads).rows for n in (3, 8, "all")]
    assert samples[2] == whole.rows
    ids = [{row["mat_id"] for row in rows} for rows in samples]
    assert ids[0] < ids[1] < ids[2]


@pytest.mark.parametrize(
    ("filters", "n"),
    [
        ({"elements_required": ["Na"]}, 1),
        ({"elements_excluded": ["Na", "Li"]}, 13),
        ({"sites_min": 3}, 0),
        ({"e_hull_max": 0.1}, 3),
        ({"space_groups": [225]}, 3),
    ],
)
def test_filters_work(tmp_path, folder, filters, n):
    rows = [f"{name},{0.05 * i},{225 if i < 3 else 'x'}" for i, name in enumerate(structures())]
    (folder / "id_prop.csv").write_text("\n".join(["id,e_above_hull,spacegroup.number", *rows]))
    if n == 0:
        with pytest.raises(UserError, match="'filtered by sites_min': 15"):
            Sampled(tmp_path, folder, filters=filters)
        return
    found = Sampled(tmp_path, folder, filters=filters)
    assert len(found.ids) == n
    assert found.summary[f"filtered by {next(iter(filters))}"] == 15 - n


def test_a_material_without_a_hull_distance_passes_no_limit_on_it(tmp_path, folder):
    with pytest.raises(UserError, match="'filtered by e_hull_max': 15"):
        Sampled(tmp_path, folder, filters={"e_hull_max": 1.0})


def test_several_sources_are_one_sample(tmp_path, folder):
    other = write_files(tmp_path / "more", {"new": Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]])})
    first = Sampled(tmp_path, folder, other)
    second = Sampled(tmp_path, {"path": str(other)}, folder)
    assert first.rows == second.rows
    assert len(first.ids) == 16


def test_a_wrong_value_is_located_in_the_csv(tmp_path, folder):
    (folder / "id_prop.csv").write_text('id,gap\ntest000,1.5\ntest001,"98,5"\n')
    Sampled(tmp_path, folder)
    found = read_column(rows_of_sample(tmp_path / "sample.parquet"), "gap", ())
    assert found.values == [1.5, None]
    (reject,) = found.rejects
    assert (reject["source_file"], reject["source_position"]) == (str(folder / "id_prop.csv"), 3)
    assert "decimal comma" in reject["reason"]
