"""Kept results: reused if input and recipe are the same, recomputed otherwise."""

import json
import logging
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest
from project import PROJECT

from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.parquet import column, read_table

TABLE = pa.schema([column("mat_id", pa.string(), "id"), column("square", pa.int64(), "result")])
PICTURES = pa.schema([column(name, pa.string(), name) for name in ("mat_id", "view", "image", "sha256")])
SCRIPT = PROJECT / "workflow" / "scripts" / "write_structures.py"
MATERIALS = {f"m{number:02d}": str(number) for number in range(12)}


def run(folder: Path, materials=MATERIALS, *, n_shards=1, shards=None, recipe="square"):
    """Run a stage that squares numbers; return the made and kept results and the bytes of its tables."""
    made, counts, tables = [], {"made": 0, "kept": 0}, []
    for shard in range(n_shards) if shards is None else shards:
        mine = {name: value for name, value in materials.items() if shard_of(name, n_shards) == shard}
        record = folder / "kept" / f"shard-{shard}-of-{n_shards}"
        results = KeptResults(record, TABLE, {"recipe": recipe}, mine, script=SCRIPT)
        new = results.reuse()
        table, provenance = folder / f"shard-{shard}.parquet", folder / f"shard-{shard}.json"
        results.write(table, provenance, [{"mat_id": name, "square": int(mine[name]) ** 2} for name in new])
        for name, count in json.loads(provenance.read_text()).items():
            counts[name] += count
        made += new
        tables.append(table.read_bytes())
        assert set(read_table(table, TABLE)["mat_id"]) == set(mine)
    return sorted(made), counts, tables


def records(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "kept").iterdir())


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (2, 4), (3, 2), (5, 3), (4, 1)])
def test_a_larger_sample_computes_only_the_new_materials(tmp_path, before, after):
    few = dict(list(MATERIALS.items())[::2])
    run(tmp_path / "grown", few, n_shards=before)
    made, counts, tables = run(tmp_path / "grown", n_shards=after)
    assert made == sorted(MATERIALS.keys() - few.keys())
    assert counts == {"made": 6, "kept": 6}
    assert tables == run(tmp_path / "fresh", n_shards=after)[2]
    assert records(tmp_path / "grown") == [f"shard-{shard}-of-{after}" for shard in range(after)]


def test_results_of_a_different_input_are_recomputed(tmp_path):
    run(tmp_path)
    assert run(tmp_path, MATERIALS | {"m03": "7"})[0] == ["m03"]
    assert run(tmp_path, recipe="another")[0] == sorted(MATERIALS)


def test_different_packages_are_a_different_recipe(tmp_path, install):
    run(tmp_path)
    install("torch", "999")  # the script does not use it
    assert run(tmp_path)[0] == []
    install("spglib", "999")  # pymatgen requires it
    assert run(tmp_path)[0] == sorted(MATERIALS)


def test_a_smaller_sample_reuses_its_results(tmp_path):
    run(tmp_path)
    few = dict(list(MATERIALS.items())[:3])
    assert run(tmp_path, few)[1] == {"made": 0, "kept": 3}
    assert run(tmp_path)[1] == {"made": 9, "kept": 3}


def test_a_job_keeps_records_that_other_numbers_of_shards_need(tmp_path):
    run(tmp_path, n_shards=2)
    assert run(tmp_path, n_shards=4, shards=[0])[1]["made"] == 0
    assert records(tmp_path) == ["shard-0-of-2", "shard-0-of-4", "shard-1-of-2"]
    assert run(tmp_path, n_shards=4, shards=[1, 2])[1]["made"] == 0
    assert records(tmp_path) == ["shard-0-of-4", "shard-1-of-2", "shard-1-of-4", "shard-2-of-4"]
    assert run(tmp_path, n_shards=4, shards=[3])[1]["made"] == 0
    assert records(tmp_path) == [f"shard-{shard}-of-4" for shard in range(4)]


@pytest.mark.parametrize("name", ["record.json", "table.parquet"])
@pytest.mark.parametrize("damage", [None, b"", b"{}", b"[1]", "cut", "flip"])
def test_a_damaged_record_is_ignored_with_a_warning(tmp_path, caplog, name, damage):
    tables = run(tmp_path)[2]
    path = tmp_path / "kept" / "shard-0-of-1" / name
    content = path.read_bytes()
    damaged = {"cut": content[:-20], "flip": content[:30] + bytes([content[30] ^ 1]) + content[31:]}
    path.unlink()
    if damage is not None:
        path.write_bytes(damaged.get(damage, damage))
    with caplog.at_level(logging.WARNING):
        made, _, again = run(tmp_path)
    assert again == tables
    assert made == sorted(MATERIALS)
    if (name, damage) != ("record.json", "flip"):
        assert "recomputed" in caplog.text


def test_records_take_no_extra_space(tmp_path):
    run(tmp_path)
    assert (tmp_path / "kept" / "shard-0-of-1" / "table.parquet").samefile(tmp_path / "shard-0.parquet")


def draw(folder: Path, materials: list[str]) -> tuple[list[str], Path]:
    """Run a stage that draws two views of each material; return what it drew and the folder of pictures."""
    results = KeptResults(
        folder / "kept" / "shard-0-of-1",
        PICTURES,
        {},
        dict.fromkeys(materials, ""),
        script=SCRIPT,
        file_column="image",
    )
    images = folder / f"images-{len(list(folder.iterdir()))}"
    images.mkdir()
    new, rows = results.reuse(images), []
    for name in new:
        for view in ("z", "a"):
            path = images / view / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{name} {view}")
            digest = sha256(path.read_bytes()).hexdigest()
            rows.append({"mat_id": name, "view": view, "image": f"{view}/{name}.png", "sha256": digest})
    results.write(folder / "images.parquet", folder / "images.json", rows, images, made_by="hand")
    return new, images


def test_files_are_kept_with_their_rows(tmp_path):
    draw(tmp_path, ["b", "d"])
    new, images = draw(tmp_path, ["a", "b", "c", "d"])
    assert new == ["a", "c"]
    table = read_table(tmp_path / "images.parquet", PICTURES)
    assert list(table["mat_id"]) == ["a", "a", "b", "b", "c", "c", "d", "d"]
    assert list(table["view"]) == ["z", "a"] * 4
    for row in table.itertuples():
        assert (images / row.image).read_text() == f"{row.mat_id} {row.view}"
    assert json.loads((tmp_path / "images.json").read_text()) == {"made_by": "hand", "made": 2, "kept": 2}


@pytest.mark.parametrize("damage", ["changed", None])
def test_only_a_damaged_file_is_recreated(tmp_path, caplog, damage):
    draw(tmp_path, ["a", "b"])
    path = tmp_path / "kept" / "shard-0-of-1" / "files" / "a" / "b.png"
    path.unlink()
    if damage:
        path.write_text(damage)
    new, images = draw(tmp_path, ["a", "b"])
    assert new == ["b"]
    assert (images / "a" / "b.png").read_text() == "b a"
    assert "recreated" in caplog.text
    assert draw(tmp_path, ["a", "b"])[0] == []


def test_without_hard_links_files_are_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "no hard links here")

    monkeypatch.setattr("os.link", refuse)
    draw(tmp_path, ["a"])
    assert draw(tmp_path, ["a"])[0] == []


def test_a_stage_without_kept_results_computes_everything(tmp_path):
    for _ in range(2):
        results = KeptResults(None, TABLE, {}, {"a": "1"}, script=SCRIPT)
        assert results.reuse() == ["a"]
        results.write(tmp_path / "t.parquet", tmp_path / "p.json", [{"mat_id": "a", "square": 1}])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.json", "t.parquet"]


def test_a_folder_with_an_invalid_name_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="shard-<number>-of-<count>"):
        KeptResults(tmp_path / "x", TABLE, {}, {}, script=SCRIPT).write(tmp_path / "t", tmp_path / "p", [])
