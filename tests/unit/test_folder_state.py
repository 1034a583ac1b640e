"""The state of a folder with very many files: every change is noticed, and nothing is read twice."""

import gzip
import json
import os
import shutil
import time

import pytest

from polyfacet.runtime import folder_state
from polyfacet.runtime.folder_state import state_of_folder
from polyfacet.sources import planning


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "crystals"
    made.mkdir()
    for name in "abc":
        (made / f"{name}.cif").write_text(f"data_{name}")
    return made


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Records are written at once, and read anew as by the next run."""
    monkeypatch.setattr(folder_state, "SETTLED_NS", 0)
    monkeypatch.setattr(folder_state, "_RECORDS", {})


def state(folder, tmp_path):
    folder_state._RECORDS.clear()
    return state_of_folder(folder, lambda name: name.endswith(".cif"), tmp_path / "records" / "r.json")


def rewritten(path):
    path.write_text("data_X")


def replaced_at_the_same_time(path):
    before = path.stat()
    path.write_text("data_X")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_an_older_file(path):
    old = path.with_name("old")
    old.write_text("data_X")
    os.utime(old, (1, 1))
    shutil.move(old, path)


def added(path):
    shutil.copy2(path, path.with_name("d.cif"))


def removed(path):
    path.unlink()


def renamed(path):
    path.rename(path.with_name("z.cif"))


def swapped(path):
    other = path.with_name("c.cif")
    path.rename(path.with_name("x"))
    other.rename(path)
    path.with_name("x").rename(other)


@pytest.mark.parametrize(
    "change",
    [rewritten, replaced_at_the_same_time, replaced_by_an_older_file, added, removed, renamed, swapped],
)
def test_every_change_is_noticed(tmp_path, folder, change):
    before = state(folder, tmp_path)
    assert state(folder, tmp_path) == before
    change(folder / "b.cif")
    assert state(folder, tmp_path) != before


def test_what_is_not_a_change(tmp_path, folder):
    before = state(folder, tmp_path)
    (folder / "a.cif").touch()
    (folder / "README").write_text("x")
    (folder / ".a.cif.swp").write_text("x")
    assert state(folder, tmp_path) == before
    shutil.copytree(folder, tmp_path / "copy")
    assert state(tmp_path / "copy", tmp_path) == before


def test_files_are_read_once(tmp_path, folder, monkeypatch):
    before = state(folder, tmp_path)
    read = []
    digest = folder_state.sha256_of_file
    monkeypatch.setattr(folder_state, "sha256_of_file", lambda path: read.append(path.name) or digest(path))
    assert state(folder, tmp_path) == before
    assert read == []
    rewritten(folder / "b.cif")
    state(folder, tmp_path)
    assert read == ["b.cif"]


def test_files_that_just_changed_are_read_again(tmp_path, folder, monkeypatch):
    """Two changes within one tick of the clock give the same times."""
    monkeypatch.setattr(folder_state, "SETTLED_NS", 10**12)
    state(folder, tmp_path)
    assert not (tmp_path / "records" / "r.json").exists()
    monkeypatch.setattr(time, "time_ns", lambda: 10**19)
    state(folder, tmp_path)
    assert len(json.loads((tmp_path / "records" / "r.json").read_text())) == 3


@pytest.mark.parametrize("content", ["", "[]", '{"a.cif": 1}', '{"a.cif": [1, 2, 3, 4, "x"]}', "\0"])
def test_a_damaged_record_changes_nothing(tmp_path, folder, content):
    before = state(folder, tmp_path)
    (tmp_path / "records" / "r.json").write_text(content)
    assert state(folder, tmp_path) == before


def test_a_folder_that_cannot_be_read_has_a_state(tmp_path):
    assert state(tmp_path / "absent", tmp_path).startswith("not readable")


def test_a_record_that_cannot_be_written_is_done_without(tmp_path, folder):
    (tmp_path / "records").write_text("")
    assert state(folder, tmp_path) == state(folder, tmp_path)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize(
    "row", ["NaCl", 'a,"' + "Na 0.0 0.0 0.0\n" * 100 + '"'], ids=["formulas", "structures"]
)
def test_the_number_of_rows_of_a_csv_follows_from_its_first_rows(tmp_path, name, row):
    opened = gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "wt") as stream:
        stream.write("formula\n" + f"{row}\n" * 5000)
    estimate = planning.estimated_materials([str(tmp_path / name)], {})
    if name == "t.csv":
        assert estimate == pytest.approx(5000, rel=0.05)
    assert estimate > 0


def test_sources_are_watched(tmp_path, folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "t.csv"
    table.write_text("id,cif\n")
    assert planning.watched_folders(["crystals", "t.csv"]) == ["crystals"]
    assert planning.watched_files(["crystals", "t.csv"], {}) == ["t.csv"]
    assert planning.estimated_materials(["crystals"], {}) == 3
    records = tmp_path / "records"
    states = [planning.state_of_sources(["crystals", "t.csv"], {}, records)]
    (folder / "id_prop.csv").write_text("a,1\n")
    assert planning.watched_files(["crystals"], {}) == ["crystals/id_prop.csv"]
    states.append(planning.state_of_sources(["crystals", "t.csv"], {}, records))
    (folder / "id_prop.csv").write_text("a,2\n")
    states.append(planning.state_of_sources(["crystals", "t.csv"], {}, records))
    rewritten(folder / "a.cif")
    states.append(planning.state_of_sources(["crystals", "t.csv"], {}, records))
    table.write_text("id,cif\na,b\n")
    states.append(planning.state_of_sources(["crystals", "t.csv"], {}, records))
    assert len(set(states)) == 5
