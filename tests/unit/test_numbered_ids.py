"""Rows and frames without identifiers are called after their files, and no two files share a name."""

import json
from pathlib import Path

import pytest
from crystal_files import NACL_CIF, Sampled
from handmade import rock_salt

from polyfacet.sources.structures.numbered_ids import names_of_tables

FRAME = """2
Lattice="4.0 0.0 0.0 0.0 4.0 0.0 0.0 0.0 4.0" Properties=species:S:1:pos:R:3 pbc="T T T"
Na 0.0 0.0 0.0
Cl 2.0 2.0 2.0
"""
TASK = json.dumps({"columns": ["structure"], "data": [[rock_salt("Na", "Cl", 5.64).as_dict()]]})
CONTENTS = {"new.csv": f'cif\n"{NACL_CIF}"\n', "new.extxyz": FRAME, "new.json": TASK}


def names(*paths: str) -> list[str]:
    return list(names_of_tables(map(Path, paths)).values())


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["new.csv"], ["new"]),
        (["a/new.csv", "b/old.csv"], ["new", "old"]),
        (["a/new.csv", "b/new.csv"], ["a-new", "b-new"]),
        (["b/new.csv", "a/new.csv"], ["b-new", "a-new"]),
        (["a/new.csv", "a/new.csv"], ["new"]),
        (["new.csv", "new.extxyz"], ["new.csv", "new.extxyz"]),
        (["new.v1.csv", "new.v2.csv"], ["new.v1.csv", "new.v2.csv"]),
        (["a/new.csv", "b/new.csv", "a-new.csv"], ["a-new.csv", "b-new.csv", "a-new"]),
        (["x/d/new.csv", "y/d/new.csv"], ["x-d-new", "y-d-new"]),
    ],
)
def test_files_are_called_after_what_tells_them_apart(paths, expected):
    assert names(*paths) == expected


@pytest.mark.parametrize(
    "pair", [("a b.csv", "a_b.csv"), ("é.csv", "è.csv"), (f"{'x' * 60}1.csv", f"{'x' * 60}2.csv")]
)
def test_names_that_are_shortened_or_replaced_stay_apart(pair):
    found = names(*pair)
    assert len(set(found)) == 2
    assert all(len(name) <= 57 for name in found)


@pytest.mark.parametrize("name", CONTENTS)
def test_rows_of_files_of_one_name_are_different_materials(tmp_path, name):
    paths = [tmp_path / folder / name for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(CONTENTS[name])
    found = Sampled(tmp_path, *map(str, paths))
    number = "0000" if name == "new.json" else "0001"
    assert found.ids == [f"a-new-{number}", f"b-new-{number}"]
    assert Sampled(tmp_path, *map(str, reversed(paths))).rows == found.rows
    assert not found.rejected


def test_a_file_that_is_named_twice_has_the_same_rows(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(CONTENTS["new.csv"])
    found = Sampled(tmp_path, str(path), str(path))
    assert found.ids == ["new-0001"]
    assert found.rejected[0]["reason"].startswith("duplicate mat_id")
