"""Materials with equal identifiers: the same again is no news, a different crystal is said and counts."""

import csv
import json
from pathlib import Path

import pytest
from crystal_files import Sampled
from handmade import entry, rock_salt, structures, write_entries
from pymatgen.core import Structure

from polyfacet.runtime.errors import UserError

CELLS = list(structures().values())
NACL = rock_salt("Na", "Cl", 5.64)


def write_table(path: Path, cells: list[Structure], first_id: int = 0, **columns: str) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *columns, "cif"])
        for number, cell in enumerate(cells, start=first_id):
            writer.writerow([number, *columns.values(), cell.to(fmt="cif")])
    return path


def test_tables_that_each_count_from_zero_hold_different_crystals(tmp_path, capfd):
    train = write_table(tmp_path / "train.csv", CELLS[:10])
    valid = write_table(tmp_path / "val.csv", CELLS[10:])
    found = Sampled(tmp_path, str(train), str(valid))
    assert (found.summary["read"], found.summary["duplicate"]) == (15, 5)
    assert found.summary["duplicate with a different crystal"] == 5
    told = capfd.readouterr().err
    assert "one that is not written alike, has their identifier: 5, such as" in told
    assert f"{train}, line" in told
    assert f"{valid}, line" in told
    assert "rows without identifiers are numbered" in told
    assert all("give them different identifiers" in row["reason"] for row in found.rejected)
    again = Sampled(tmp_path, str(valid), str(train))
    assert (again.rows, again.rejected) == (found.rows, found.rejected)


def test_different_crystals_count_as_rejects(tmp_path):
    paths = [
        str(write_table(tmp_path / name, cells))
        for name, cells in (("train.csv", CELLS[:10]), ("val.csv", CELLS[10:]))
    ]
    Sampled(tmp_path, *paths, max_rejected_fraction=0.34)
    with pytest.raises(UserError, match=r"5 of 15 materials were rejected.*\n  5 x duplicate mat_id of a"):
        Sampled(tmp_path, *paths, max_rejected_fraction=0.33)


@pytest.mark.parametrize("n", [1, 3, "all"])
def test_overlapping_files_are_no_news(tmp_path, capfd, n):
    whole = write_table(tmp_path / "all.csv", CELLS)
    part = write_table(tmp_path / "part.csv", CELLS[4:9], first_id=4)
    found = Sampled(tmp_path, str(whole), str(part), n_materials=n, max_rejected_fraction=0.0)
    assert found.summary["duplicate"] == len(found.rejected) == 5
    assert "left out" not in capfd.readouterr().err


def test_other_values_of_one_crystal_are_said_and_do_not_count(tmp_path, capfd):
    first = write_table(tmp_path / "a.csv", CELLS, gap="1.0")
    second = write_table(tmp_path / "b.csv", CELLS[:5], gap="2.0")
    found = Sampled(tmp_path, str(first), str(second), max_rejected_fraction=0.0)
    assert "left out because the same crystal occurs with other values: 5, such as" in capfd.readouterr().err
    assert "duplicate with a different crystal" not in found.summary


def test_a_database_may_correct_its_entries(tmp_path, capfd):
    """Releases of Alexandria relax structures again; a different formula is a different material."""
    older = write_entries(tmp_path / "older.json", [entry("agm1", NACL, e_form=-1.0)])
    newer = write_entries(tmp_path / "newer.json", [entry("agm1", rock_salt("Na", "Cl", 5.6))])
    found = Sampled(tmp_path, older, newer, max_rejected_fraction=0.0)
    assert found.ids == ["agm1"]
    assert "the same crystal occurs with other values: 1, such as agm1" in capfd.readouterr().err
    write_entries(newer, [entry("agm1", rock_salt("K", "Cl", 6.3))])
    with pytest.raises(UserError, match="1 of 2 materials were rejected"):
        Sampled(tmp_path, older, newer, max_rejected_fraction=0.0)
    assert "agm1 (" in capfd.readouterr().err


def test_three_crystals_under_one_identifier_are_counted_in_any_order(tmp_path):
    cells = [CELLS[0], CELLS[1], CELLS[1]]
    numbers = []
    for turn in range(3):
        path = tmp_path / f"{turn}.jsonl"
        turned = cells[turn:] + cells[:turn]
        path.write_text("\n".join(json.dumps(entry("one", cell), default=str) for cell in turned))
        numbers.append(Sampled(tmp_path, path).summary["duplicate with a different crystal"])
    assert len(set(numbers)) == 1


def test_entries_and_files_of_the_same_crystals_are_no_rejects(tmp_path):
    entries = write_entries(tmp_path / "entries.json", [entry("agm1", NACL), entry("agm2", NACL)])
    table = tmp_path / "own.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "cif"], ["agm1", NACL.to(fmt="cif")]])
    found = Sampled(tmp_path, entries, str(table), max_rejected_fraction=0.0)
    assert found.ids == ["agm1", "agm2"]
    assert "duplicate with a different crystal" not in found.summary
