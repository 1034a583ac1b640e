"""Tables of crystals (CSV, Parquet), matbench tasks and extended XYZ."""

import bz2
import csv
import gzip
import json
import lzma
import re

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crystal_files import NACL_CIF, NACL_POSCAR, Sampled
from handmade import entry, structures, write_entries
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from polyfacet.runtime.errors import UserError

CIFS = {name: structure.to(fmt="cif") for name, structure in structures().items()}
HEAD = '"index": [0], "columns": ["structure", "gap"]'
JSON = {name: json.dumps(structure.as_dict()) for name, structure in structures().items()}

ROW = JSON["test000"]


def rows_of(texts, id_column="material_id", structure_column="cif"):
    return [
        {id_column: name, "band_gap": repr(0.5 * i), structure_column: text, "spacegroup.number": "225"}
        for i, (name, text) in enumerate(texts.items())
    ]


def without_empty(value):
    """Drop empty mappings, which Parquet cannot hold."""
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items() if item != {}}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def write_csv(path, rows):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def line_of_each_row(path):
    """Return the line on which each row of a CSV begins, from 1, without the header."""
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.reader(stream)
        ends = [reader.line_num for _ in reader]
    return [end + 1 for end in ends[:-1]]


def test_rows_may_share_a_name(tmp_path):
    rows = [{"name": "rock salt", "cif": text} for text in CIFS.values()]
    path = write_csv(tmp_path / "t.csv", rows)
    found = Sampled(tmp_path, path, max_rejected_fraction=0.0)
    assert found.ids == [f"t-{number:04d}" for number in range(1, len(CIFS) + 1)]
    assert found.data["t-0001"] == {"name": "rock salt"}
    with pytest.raises(UserError, match="a different crystal"):
        Sampled(tmp_path, {"path": str(path), "id": "name"}, max_rejected_fraction=0.0)


@pytest.mark.parametrize(
    "column", ["sg_number", "spacegroup", "symmetry.number", "Space Group", "Spacegroup Number", "spg_number"]
)
def test_space_groups_are_read_from_columns_of_several_names(tmp_path, column):
    rows = [{"id": name, column: "225", "cif": text} for name, text in CIFS.items()]
    found = Sampled(tmp_path, write_csv(tmp_path / "t.csv", rows), filters={"space_groups": [225]})
    assert {row["space_group"] for row in found.rows} == {225}


@pytest.mark.parametrize("stated", ["Fm-3m", "225a", "0", "231", "2.5", ""])
def test_what_is_not_the_number_of_a_space_group_is_ignored(tmp_path, stated):
    text = CIFS["test000"].replace("_space_group_IT_number", "_unknown")
    rows = [{"id": "a", "spacegroup": stated, "cif": text}]
    (row,) = Sampled(tmp_path, write_csv(tmp_path / "t.csv", rows)).rows
    assert row["space_group"] is None


@pytest.mark.parametrize("column", ["_stated_in", "_stated_id"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "json", "id_prop"])
def test_reserved_columns_are_an_error(tmp_path, column, kind):
    rows = [{"id": name, column: "x", "cif": text} for name, text in CIFS.items()]
    path = tmp_path / f"t.{kind}"
    if kind == "csv":
        write_csv(path, rows)
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "json":
        path.write_text(json.dumps({"columns": ["structure", column], "data": [[JSON["test000"], 1]]}))
    else:
        path.mkdir()
        (path / "a.cif").write_text(NACL_CIF)
        (path / "id_prop.csv").write_text(f"id,{column}\na,1\n")
    with pytest.raises(
        UserError, match=f"has a column {column}, a name that is reserved for Polyfacet. Rena"
    ):
        Sampled(tmp_path, path)


@pytest.mark.parametrize("key", ["_stated_in", "_stated_id"])
def test_reserved_keys_of_frames_and_entries_are_rejects(tmp_path, key):
    (tmp_path / "t.extxyz").write_text(
        frame(structures()["test000"], "id=good") + frame(structures()["test000"], f"id=bad {key}=x")
    )
    write_entries(tmp_path / "e.json", [entry("a", structures()["test001"], **{key: "x"})])
    found = Sampled(tmp_path, tmp_path / "t.extxyz", tmp_path / "e.json")
    assert found.ids == ["good"]
    assert {row["reason"] for row in found.rejected} == {
        f"{key} is a name that is reserved for Polyfacet: rename it"
    }


@pytest.mark.parametrize("key", ["lattice", "LATTICE", "Lattice"])
def test_the_lattice_of_a_frame_is_read_in_any_case(tmp_path, key):
    text = frame(structures()["test000"], "id=a").replace("Lattice=", f"{key}=")
    (tmp_path / "t.extxyz").write_text(text)
    assert Sampled(tmp_path, tmp_path / "t.extxyz").ids == ["a"]


def test_the_name_of_a_lattice_is_no_second_lattice(tmp_path):
    (tmp_path / "t.extxyz").write_text(frame(structures()["test000"], "id=a lattice=fcc"))
    assert Sampled(tmp_path, tmp_path / "t.extxyz").data["a"]["lattice"] == "fcc"


@pytest.mark.parametrize("name", ["t.csv", "T.CSV", "t.csv.gz"])
@pytest.mark.parametrize("texts", [CIFS, JSON], ids=["CIF", "JSON"])
def test_a_csv_of_structures_is_read(tmp_path, name, texts):
    found = Sampled(tmp_path, write_csv(tmp_path / name, rows_of(texts)))
    assert found.ids == sorted(texts)
    assert found.data["test002"] == {
        "material_id": "test002",
        "band_gap": "1.0",
        "spacegroup.number": "225",
    }
    assert {row["space_group"] for row in found.rows} == {225}
    opened = gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "rt", newline="", encoding="utf-8") as stream:
        lines = stream.read().split("\n")
    # The line on which a row begins: cells with a CIF have many lines.
    assert all(row["mat_id"] in lines[row["source_position"] - 1] for row in found.rows)
    assert all(Structure.from_str(row["structure"], fmt="json").is_valid() for row in found.rows)


@pytest.mark.parametrize("kind", ["text", "mapping"])
def test_a_parquet_file_is_read_with_its_types(tmp_path, kind):
    rows = rows_of(JSON, "id", "structure")
    if kind == "mapping":
        rows = [
            {**row, "structure": without_empty(structures()[row["id"]].as_dict())}
            | {"n": i, "gap": None if i else 1.5}
            for i, row in enumerate(rows)
        ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet", row_group_size=4)
    found = Sampled(tmp_path, tmp_path / "t.parquet")
    assert found.ids == sorted(JSON)
    if kind == "mapping":
        assert found.data["test000"]["gap"] == 1.5
        assert found.data["test001"] | {"n": 1, "gap": None} == found.data["test001"]


def test_columns_can_be_named(tmp_path):
    rows = [{"a": row["cif"], "b": row["material_id"], "id": "x", "cif": "none"} for row in rows_of(CIFS)]
    source = {"path": str(write_csv(tmp_path / "t.csv", rows)), "id": "b", "structure": "a"}
    found = Sampled(tmp_path, source)
    assert found.ids == sorted(CIFS)
    assert found.data["test000"] == {"b": "test000", "id": "x", "cif": "none"}


def test_a_column_of_structures_is_found_by_its_content(tmp_path):
    rows = [{"x": "1", "geometry": row["cif"]} for row in rows_of(CIFS)]
    found = Sampled(tmp_path, write_csv(tmp_path / "my table.csv", rows))
    assert found.ids == [f"my_table-{i:04d}" for i in range(1, 16)]


@pytest.mark.parametrize("others", [{"structure": "rocksalt"}, {"structure": "rocksalt", "atoms": "8"}])
@pytest.mark.parametrize(
    ("name", "content"), [("cif", NACL_CIF), ("relaxed", NACL_CIF), ("poscar", NACL_POSCAR)]
)
def test_the_content_of_a_column_of_structures_counts_more_than_its_name(tmp_path, others, name, content):
    path = write_csv(tmp_path / "t.csv", [{"id": "a", **others, name: content}])
    assert Sampled(tmp_path, path).data == {"a": {"id": "a", **others}}


def test_columns_that_may_all_hold_structures_are_an_error(tmp_path):
    rows = [
        {"id": name, "structure": "rocksalt", "poscar": content}
        for name, content in (("unknown", "not relaxed yet"), ("a", NACL_POSCAR))
    ]
    path = write_csv(tmp_path / "t.csv", rows)
    with pytest.raises(UserError, match=r"may hold the structures: \['structure', 'poscar'\]. Name one"):
        Sampled(tmp_path, path)
    assert Sampled(tmp_path, {"path": str(path), "structure": "poscar"}).ids == ["a"]


@pytest.mark.parametrize("names", [("initial", "relaxed"), ("structure", "cif")])
@pytest.mark.parametrize("first", [NACL_CIF, ""])
def test_several_columns_of_structures_are_an_error(tmp_path, names, first):
    rows = [{"id": "a", names[0]: first, names[1]: NACL_CIF}, {"id": "b"} | dict.fromkeys(names, NACL_CIF)]
    path = write_csv(tmp_path / "t.csv", rows)
    with pytest.raises(UserError, match=r"several columns .*: \['\w+', '\w+'\]. Name one"):
        Sampled(tmp_path, path)
    assert Sampled(tmp_path, {"path": str(path), "structure": names[1]}).ids == ["a", "b"]


def test_a_usual_name_tells_columns_of_structures_apart(tmp_path):
    rows = [{"id": "a", "initial": NACL_CIF, "cif": ""}, {"id": "b", "initial": NACL_CIF, "cif": NACL_CIF}]
    assert Sampled(tmp_path, write_csv(tmp_path / "t.csv", rows)).ids == ["b"]


@pytest.mark.parametrize(("ending", "compress"), [(".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_compressed_csv_is_a_table(tmp_path, ending, compress):
    path = write_csv(tmp_path / "t.csv", [{"id": "a", "cif": NACL_CIF}])
    packed = path.with_name(f"u.csv{ending}")
    packed.write_bytes(compress(path.read_bytes()))
    assert Sampled(tmp_path, packed).ids == ["a"]


@pytest.mark.parametrize(
    ("header", "name"), [("id;cif", "semicolons"), ("id\tcif", "tabs"), ("Gap;Structure;x", "semicolons")]
)
def test_a_table_with_other_separators_is_an_error_that_names_them(tmp_path, header, name):
    (tmp_path / "t.csv").write_text(f"{header}\na;1,5\n")
    with pytest.raises(UserError, match=f"line 1 is separated by {name}, not by commas"):
        Sampled(tmp_path, tmp_path / "t.csv")


def test_whole_numbers_are_identifiers(tmp_path):
    rows = [{"id": i, "structure": text} for i, text in enumerate(JSON.values())]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    assert sorted(map(int, Sampled(tmp_path, tmp_path / "t.parquet").ids)) == list(range(15))


def test_whole_numbers_may_be_decimal(tmp_path):
    table = pd.DataFrame({"id": [7.0, 1e6, None], "cif": NACL_CIF})
    table.to_parquet(tmp_path / "t.parquet")
    found = Sampled(tmp_path, tmp_path / "t.parquet")
    assert found.ids == ["1000000", "7"]
    assert [row["reason"] for row in found.rejected] == ["the identifier is missing"]


def test_a_missing_identifier_is_a_reject_that_says_so(tmp_path):
    pd.DataFrame({"id": ["a", None], "cif": NACL_CIF}).to_parquet(tmp_path / "t.parquet")
    found = Sampled(tmp_path, tmp_path / "t.parquet")
    assert found.ids == ["a"]
    assert [row["reason"] for row in found.rejected] == ["the identifier is missing"]


def test_rows_that_cannot_be_used_are_rejects(tmp_path):
    rows = rows_of(CIFS)
    rows[1]["cif"] = ""
    rows[2]["cif"] = "Na Cl"
    rows[3]["material_id"] = ""
    rows[4]["material_id"] = "test000"
    rows[5]["cif"] = JSON["test005"][:-20]
    rows[6]["cif"] = NACL_POSCAR
    path = write_csv(tmp_path / "t.csv", rows)
    path.write_text(path.read_text() + "a,b\n", newline="")
    found = Sampled(tmp_path, path)
    assert len(found.ids) == 10
    assert all(row["source_position"] > 0 for row in found.rejected)
    numbers = {line: i for i, line in enumerate(line_of_each_row(path))}
    reasons = {numbers[row["source_position"]]: row["reason"] for row in found.rejected}
    assert reasons.keys() == {0, 1, 2, 3, 5, 15} or reasons.keys() == {4, 1, 2, 3, 5, 15}
    assert reasons[1] == "the structure is missing"
    assert reasons[2] == "the structure is 'Na Cl', not CIF text, a POSCAR or JSON"
    assert reasons[3] == "the identifier is missing: mat_id is empty"
    assert reasons[5].startswith("the structure is not JSON")
    assert reasons[15].startswith("line ")
    assert "the row has 2 cells, but the header has 4" in reasons[15]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", r"has no column of structures .*; its columns are \['a', 'b'\]"),
        ("", "is empty"),
        ("id,cif\n", "has no rows"),
        ("id,id,cif\n1,2,3\n", r"more than one column \['id'\]"),
        ('id,cif\n1,"x', "quotation mark is not closed"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_error(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        Sampled(tmp_path, path)
    assert str(path) in str(error.value)


def test_missing_columns_and_files_are_errors(tmp_path):
    path = write_csv(tmp_path / "t.csv", rows_of(CIFS))
    for key in ("id", "structure"):
        with pytest.raises(UserError, match=f"no column 'absent', which its source names as `{key}`"):
            Sampled(tmp_path, {"path": str(path), key: "absent"})
    for name in ("absent.csv", "absent.parquet", "absent.extxyz"):
        with pytest.raises(UserError, match="there is no such file"):
            Sampled(tmp_path, tmp_path / name)
    (tmp_path / "t.parquet").write_bytes(b"PAR1xx")
    with pytest.raises(UserError, match="t.parquet cannot be read"):
        Sampled(tmp_path, tmp_path / "t.parquet")


@pytest.mark.parametrize("name", ["matbench_test.json", "matbench_test.json.gz"])
@pytest.mark.parametrize("order", [("index", "columns", "data"), ("data", "index", "columns")])
def test_a_matbench_task_is_read(tmp_path, name, order):
    task = {
        "index": list(range(15)),
        "columns": ["structure", "gap pbe"],
        "data": [[structure.as_dict(), 0.1 * i] for i, structure in enumerate(structures().values())],
    }
    content = json.dumps({key: task[key] for key in order}).encode()
    (tmp_path / name).write_bytes((gzip.compress if name.endswith(".gz") else bytes)(content))
    found = Sampled(tmp_path, tmp_path / name)
    assert found.ids == [f"matbench_test-{i:04d}" for i in range(15)]
    assert found.data["matbench_test-0003"] == {"index": "matbench_test-0003", "gap pbe": 0.1 * 3}


def test_the_index_of_a_matbench_task_may_hold_identifiers(tmp_path):
    frame = pd.DataFrame({"structure": list(structures().values()), "y": 1.0}, index=list(structures()))
    frame["structure"] = [structure.as_dict() for structure in frame["structure"]]
    (tmp_path / "t.json").write_text(json.dumps(frame.to_dict("split")))
    assert Sampled(tmp_path, tmp_path / "t.json").ids == sorted(structures())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"index": [0], "columns": ["composition", "y"], "data": [["NaCl", 1]]}', "no column of structures"),
        ('{"index": [0], "data": [[1]]}', "has no list of `columns`"),
        ('{"index": [0], "columns": ["structure"]}', "has no `data`"),
        ('{"index": [0], "columns": ["structure"], "data": [[{"lattice"', "malformed|ends early|expected"),
        ('{"index": [0], "columns": ["structure", "structure"], "data": []}', "more than one column"),
        (f'{{{HEAD}, "data": [[{ROW}, 1]]}} {{"data": [[{ROW}, 1]]}}', "goes on after the end of the task"),
        (f'{{{HEAD}, "data": [[{ROW}, 1]]}}]', "goes on after the end of the task"),
        (f'{{{HEAD}, "data": [[{ROW}, 1]], "data": [[{ROW}, 2]]}}', "has the key `data` twice"),
        (f'{{{HEAD}, "data": [[{ROW}, 1]], "index": [5]}}', "has the key `index` twice"),
        (f'{{{HEAD}, "data": [[{ROW}, 1]]', "ends early"),
        (f'{{{HEAD.replace("gap", "index")}, "data": [[{ROW}, 1]]}}', "a column called `index`"),
    ],
)
def test_a_matbench_task_that_cannot_be_used_is_an_error(tmp_path, text, message):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        Sampled(tmp_path, path)
    assert str(path) in str(error.value)


def write_task(path, index):
    """Write a matbench task of as many rows as there are hand-made structures."""
    rows = [[structure.as_dict(), 1.0] for structure in structures().values()]
    path.write_text(json.dumps({"columns": ["structure", "y"], "index": index, "data": rows}))
    return path


@pytest.mark.parametrize("stated", [None, [0, 1], 0.5, True, {}])
def test_a_row_without_a_usable_index_is_a_reject(tmp_path, stated):
    path = write_task(tmp_path / "t.json", [stated, *range(1, 15)])
    found = Sampled(tmp_path, path)
    assert found.ids == [f"t-{i:04d}" for i in range(1, 15)]
    (rejected,) = found.rejected
    assert (rejected["source_file"], rejected["source_position"]) == (str(path), 0)
    assert rejected["reason"].startswith("the index of the row is ")


@pytest.mark.parametrize("index", [list(range(14)), list(range(16)), [], "x", {}])
def test_an_index_that_does_not_fit_the_rows_is_an_error(tmp_path, index):
    path = write_task(tmp_path / "t.json", index)
    with pytest.raises(UserError, match="`index` (holds .* `data` has 15 rows|is not a list)"):
        Sampled(tmp_path, path)


def test_an_index_of_several_levels_does_not_matter_beside_a_column_of_identifiers(tmp_path):
    path = write_task(tmp_path / "t.json", [[0, i] for i in range(15)])
    text = path.read_text().replace('"y"', '"name"').replace(", 1.0]", ', "a"]', 1)
    path.write_text(text.replace(", 1.0]", ", null]"))
    assert Sampled(tmp_path, {"path": str(path), "id": "name"}).ids == ["a"]


def frame(structure, comment):
    lattice = " ".join(map(str, structure.lattice.matrix.flatten()))
    atoms = [f"{site.specie} {' '.join(map(str, site.coords))}\n" for site in structure]
    return f'{len(structure)}\nLattice="{lattice}" {comment}\n{"".join(atoms)}'


@pytest.mark.parametrize("name", ["t.extxyz", "t.xyz", "t.extxyz.gz"])
def test_extended_xyz_is_read(tmp_path, name):
    text = "".join(
        frame(structure, f'mat_id={mat_id} energy={-i} pbc="T T T" note="a b" stress="1 0 0 0 1 0 0 0 1"')
        for i, (mat_id, structure) in enumerate(structures().items())
    )
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    (tmp_path / name).write_bytes(content)
    found = Sampled(tmp_path, tmp_path / name)
    assert found.ids == sorted(structures())
    assert found.data["test003"] == {
        "mat_id": "test003",
        "note": "a b",
        "energy": -3.0,
        "stress": [1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
    }
    for row in found.rows:
        expected = structures()[row["mat_id"]]
        read = Structure.from_str(row["structure"], fmt="json")
        assert read.distance_matrix == pytest.approx(expected.distance_matrix, abs=1e-6)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("mat_id=001", "001"),
        ("mat_id=1_2", "1_2"),
        ("mat_id=1e5", "1e5"),
        ("mat_id=T", "T"),
        ('mat_id="001"', "001"),
        ("mat_id = 001", "001"),
        ('note="mat_id=5" mat_id=007 x=1', "007"),
        ("config_id=010", "010"),
    ],
)
def test_identifiers_of_frames_are_kept_as_they_are_written(tmp_path, stated, expected):
    (tmp_path / "t.extxyz").write_text(frame(structures()["test000"], stated))
    assert Sampled(tmp_path, tmp_path / "t.extxyz").ids == [expected]


@pytest.mark.parametrize(
    ("properties", "atom", "reason"),
    [
        ("species:S:1:pos:R:3", "CO 0 0 0", "unknown element 'CO' at site 0; write Na, not NA or na"),
        ("species:S:1:pos:R:3", "na 0 0 0", "unknown element 'na' at site 0"),
        ("pos:R:3:species:S:1", "0 0 0 NA", "unknown element 'NA' at site 0"),
        ("species:S:1:frac:R:3", "Na 0 0 0", "the frame has no positions: .* names no column pos"),
        ("species:S:1:positions:R:3", "Na 0 0 0", "the frame has no positions"),
    ],
)
def test_atoms_that_ase_would_read_as_others_are_rejects(tmp_path, properties, atom, reason):
    lattice = 'Lattice="4 0 0 0 4 0 0 0 4"'
    good = f"1\n{lattice} id=good\nCo 0 0 0\n"
    (tmp_path / "t.extxyz").write_text(f"{good}1\n{lattice} id=bad Properties={properties}\n{atom}\n")
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert found.ids == ["good"]
    assert re.search(reason, found.rejected[0]["reason"])


@pytest.mark.parametrize("name", ["occupancy", "occ", "Occupancy"])
def test_partly_occupied_sites_of_a_frame_are_a_reject(tmp_path, name):
    full = frame(structures()["test000"], f"Properties=species:S:1:pos:R:3:{name}:R:1 id=full")
    lines = full.splitlines()
    full = "\n".join([*lines[:2], *(f"{atom} 1.0" for atom in lines[2:]), ""])
    (tmp_path / "t.extxyz").write_text(full + full.replace(" 1.0\n", " 0.5\n").replace("=full", "=half"))
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert found.ids == ["full"]
    (rejected,) = found.rejected
    assert rejected["mat_id"] == "half"
    assert rejected["reason"].startswith(f"the {name} of site 0 is 0.5: fractional occupancies")


def test_a_key_that_a_comment_states_twice_is_a_reject(tmp_path):
    text = frame(structures()["test000"], 'id=a gap=1 note="gap=3"') + frame(
        structures()["test000"], "gap=1 gap=2"
    )
    (tmp_path / "t.extxyz").write_text(text)
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert found.ids == ["a"]
    assert found.rejected[0]["reason"] == "the comment of the frame states gap 2 times: keep one"


def test_an_atom_with_too_few_coordinates_is_a_reject_that_says_so(tmp_path):
    text = frame(structures()["test000"], "id=a")
    (tmp_path / "t.extxyz").write_text(text + text[: text.rindex(" ")] + "\n")
    (rejected,) = Sampled(tmp_path, tmp_path / "t.extxyz").rejected
    assert "an atom has too few" in rejected["reason"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("NaCl", "the structure is 'NaCl', not CIF text, a POSCAR or JSON"),
        ("nan", "the structure is missing"),
        ('"', "the structure is not JSON"),
        (json.dumps(ROW), "JSON inside a text of JSON: encode it only once"),
        (f"[{ROW}]", "structure is not an object"),
    ],
)
def test_a_cell_without_a_structure_is_a_reject_that_says_what_it_is(tmp_path, cell, reason):
    path = write_csv(tmp_path / "t.csv", [{"id": "a", "cif": NACL_CIF}, {"id": "b", "cif": cell}])
    found = Sampled(tmp_path, path)
    assert found.ids == ["a"]
    assert reason in found.rejected[0]["reason"]


def test_structures_in_bytes_are_read(tmp_path):
    pq.write_table(pa.table({"id": ["a"], "cif": [NACL_CIF.encode()]}), tmp_path / "t.parquet")
    assert Sampled(tmp_path, tmp_path / "t.parquet").ids == ["a"]


def test_keys_that_the_detected_format_does_not_use_are_an_error(tmp_path):
    path = write_csv(tmp_path / "t.csv", [{"id": "a", "cif": NACL_CIF}])
    with pytest.raises(UserError, match="is read as `table`, which does not use `properties`"):
        Sampled(tmp_path, {"path": str(path), "properties": "x.csv"})
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.cif").write_text(NACL_CIF)
    with pytest.raises(UserError, match="is read as `files`, which does not use `structure`"):
        Sampled(tmp_path, {"path": str(tmp_path / "folder"), "structure": "cif"})


def test_tables_are_named_file_by_file(tmp_path):
    (tmp_path / "folder").mkdir()
    write_csv(tmp_path / "folder" / "train.csv", [{"id": "a", "cif": NACL_CIF}])
    with pytest.raises(UserError, match="tables and extended XYZ are named file by file"):
        Sampled(tmp_path, tmp_path / "folder")
    with pytest.raises(UserError, match="it is a folder. Name its files"):
        Sampled(tmp_path, {"path": str(tmp_path / "folder"), "format": "table"})


def test_what_ase_writes_is_read(tmp_path):
    atoms = [AseAtomsAdaptor.get_atoms(structure) for structure in structures().values()]
    for i, each in enumerate(atoms):
        each.info["config_id"] = f"c{i}"
    import ase.io

    ase.io.write(tmp_path / "t.extxyz", atoms)
    assert len(Sampled(tmp_path, tmp_path / "t.extxyz").ids) == 15


def test_frames_that_cannot_be_used_are_rejects(tmp_path):
    crystal = structures()["test000"]
    good = frame(crystal, "id=good")
    text = "".join(
        [
            good,
            good.replace("id=good", 'pbc="T T F" name=slab'),
            "1\nname=molecule\nH 0 0 0\n",
            good.replace("Na ", "Xx ").replace("good", "unknown"),
            good.replace("id=good", "name=bad").replace("Cl ", "Cl x"),
            good.replace("good", "charged charge=1"),
            good.replace("Cl ", "D ").replace("good", "deuterated"),
            "\n",
            frame(crystal, ""),
        ]
    )
    (tmp_path / "t.extxyz").write_text(text)
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert found.ids == ["good", "t-0008"]
    reasons = [row["reason"] for row in found.rejected]
    assert "lattice.pbc is [true, true, false]" in reasons[0]
    assert reasons[1] == "the frame has no Lattice: a molecule?"
    assert reasons[2].startswith("unknown element 'X") or reasons[2].startswith("the frame cannot be read")
    assert reasons[3].startswith("the frame cannot be read")
    assert "net charge of 1" in reasons[4]
    assert reasons[5].startswith("unknown element 'D': write H for deuterium")


@pytest.mark.parametrize("stated", ["charge=1", "total_charge=-2.0", "Total_Charge=1 charge=0"])
def test_a_charge_of_a_frame_is_seen_under_any_usual_name(tmp_path, stated):
    neutral = frame(structures()["test000"], "id=neutral charge=0 total_charge=0.0")
    (tmp_path / "t.extxyz").write_text(neutral + frame(structures()["test000"], f"id=charged {stated}"))
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert found.ids == ["neutral"]
    assert "charge" in found.rejected[0]["reason"]


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ('id=x PBC="T T F"', r"lattice.pbc is \[true, true, false\]"),
        ("id=x Pbc=F", r"lattice.pbc is \[false, false, false\]"),
        ('id=x pbc="T T T" PBC="T T F"', "states pbc 2 times"),
        ('id=""', "the identifier is missing: id is empty"),
        ("id=' '", "the identifier is missing"),
        ("id= ", "the identifier is missing"),
        ("id", "the identifier is missing"),
        ("id=x charge=0_0", "charge is '0_0', not a number"),
    ],
)
def test_statements_of_a_frame_that_ase_would_ignore_are_rejects(tmp_path, stated, reason):
    good, bad = (frame(structures()["test000"], keys) for keys in ("id=good note='PBC=F'", stated))
    (tmp_path / "t.extxyz").write_text(good + bad)
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert found.ids == ["good"]
    assert re.search(reason, found.rejected[0]["reason"])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('Lattice="4', 'Lattice="4_0', "Lattice has '4_0', not a number"),
        ("Na 0.5 0", "Na 0.5 0_5", "pos of site 0 is '0_5', not a number"),
        ("2 1.0", "2 0_1", "occ of site 1 is '0_1', not a number"),
        ("Cl 0.5 2", "Cl 0.5 ٢", "pos of site 1 is '٢', not a number"),
    ],
)
def test_numbers_of_a_frame_in_another_form_are_rejects(tmp_path, old, new, reason):
    for key in ("Properties", "properties"):
        comment = f'Lattice="4 0 0 0 4 0 0 0 4" {key}=species:S:1:charges:R:1:pos:R:3:occ:R:1 id=a'
        good = f"2\n{comment}\nNa 0.5 0 0 0 1\nCl 0.5 2 2 2 1.0\n"
        (tmp_path / "t.xyz").write_text(good + good.replace(old, new))
        found = Sampled(tmp_path, tmp_path / "t.xyz")
        assert found.ids == ["a"]
        assert found.rejected[0]["reason"] == f"the frame cannot be read: {reason}"


def test_numbers_that_a_frame_states_in_another_form_stay_texts(tmp_path):
    stated = """id=a gap=1_5 pair="1_0 2" plain=1.5 note=a_b listed={1 2} extra="_JSON {\\"x\\": 1}\""""
    (tmp_path / "t.xyz").write_text(frame(structures()["test000"], stated))
    data = Sampled(tmp_path, tmp_path / "t.xyz").data["a"]
    assert (data["gap"], data["pair"]) == ("1_5", "1_0 2")
    assert (data["plain"], data["note"], data["listed"], data["extra"]) == (1.5, "a_b", [1, 2], {"x": 1})


@pytest.mark.parametrize("name", ["Z", "numbers"])
def test_a_column_that_would_replace_the_species_is_a_reject(tmp_path, name):
    comment = f'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:{name}:R:1 pbc="T T T"'
    good = frame(structures()["test000"], "id=good")
    (tmp_path / "t.extxyz").write_text(f"{good}2\n{comment}\nNa 0 0 0 1.1\nCl 2 2 2 2.1\n")
    (rejected,) = Sampled(tmp_path, tmp_path / "t.extxyz").rejected
    assert f"species and {name} differ at site 0" in rejected["reason"]


@pytest.mark.parametrize("name", ["Z", "numbers"])
def test_a_column_of_the_atomic_numbers_of_the_species_is_read(tmp_path, name):
    comment = f'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:{name}:I:1 id=a pbc="T T T"'
    (tmp_path / "t.extxyz").write_text(f"2\n{comment}\nNa 0 0 0 11\nCl 2 2 2 17\n")
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert (found.ids, found.rejected) == (["a"], [])


def test_frames_may_share_a_name(tmp_path):
    frames = [frame(structures()["test000"], f"name=bulk energy={i}") for i in range(3)]
    (tmp_path / "t.extxyz").write_text("".join(frames))
    found = Sampled(tmp_path, tmp_path / "t.extxyz")
    assert len(found.ids) == 3
    assert not found.rejected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-30], "ends inside the frame of line 5"),
        (lambda text: text.replace("2\n", "two\n", 1), "line 1: 'two' is not a number of atoms"),
        (lambda text: f"{text}junk\n", "line 9: 'junk' is not a number of atoms"),
        (lambda text: text.replace("2\n", "9" * 20 + "\n", 1), "line 1: '9+' is not a number of atoms"),
        (lambda text: "", "is empty"),
    ],
)
def test_a_damaged_extended_xyz_is_an_error_that_names_the_line(tmp_path, change, message):
    text = "".join(frame(structure, "") for structure in list(structures().values())[:2])
    (tmp_path / "t.extxyz").write_text(change(text))
    with pytest.raises(UserError, match=message):
        Sampled(tmp_path, tmp_path / "t.extxyz")


def test_a_cif_in_several_lines_is_one_cell(tmp_path):
    (tmp_path / "t.csv").write_text(f'id,cif\na,"{NACL_CIF}"\nb,"{NACL_CIF}"\n')
    assert Sampled(tmp_path, tmp_path / "t.csv").ids == ["a", "b"]


def test_real_extended_xyz_is_read(tmp_path, shared):
    found = Sampled(tmp_path, shared / "data/alexandria_3d/alexandria_3d_random1k.extxyz.gz")
    assert found.summary["sampled"] == 1000
    assert all(mat_id.startswith("agm") for mat_id in found.ids)
