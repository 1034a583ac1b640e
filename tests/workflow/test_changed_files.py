"""Changes of provided files and of packages rerun the rules that depend on them."""

import json
import os
import shutil

import pytest
from crystal_files import write_files
from handmade import entries, structures, write_entries
from planned_runs import TABLE_RUN, plan, planning_folder, reruns
from workflow_copy import copy_workflow


def test_the_files_of_a_folder_are_watched(tmp_path):
    (tmp_path / "workflow").mkdir()
    workflow = copy_workflow(tmp_path / "workflow")
    data = tmp_path / "data{of mine}"
    data.mkdir()
    for i in range(2):
        write_entries(data / f"{i}.json", entries()[i::2])
    settings = ["--config", f"sources=['{data}']", "n_materials=all"]
    summary = workflow.folder / "results" / "test" / "crystals" / "sample" / "summary.json"
    workflow.run("--until", "sample", *settings)
    assert json.loads(summary.read_text())["read"] == 15

    older = write_entries(tmp_path / "older.json", entries()[1::2] * 2)
    os.utime(older, (1, 1))
    shutil.copy2(older, data / "1.json")
    workflow.run("--until", "sample", *settings)
    facts = json.loads(summary.read_text())
    assert (facts["read"], facts["duplicate"]) == (22, 7)
    assert facts["files_left_out"] == []

    (data / "README").write_text("What is not read reruns nothing.")
    assert "sample" not in workflow.jobs("--until", "sample", *settings)


def older(path):
    """Replace a file by an older one."""
    path.write_bytes(path.read_bytes() + b"\n")
    os.utime(path, (1, 1))


def added(path):
    shutil.copy2(path, path.with_name(f"another{path.suffix}"))


def removed(path):
    path.unlink()


def linked(path):
    """Let a link point to an older file."""
    target = path.parent.parent / "target"
    target.write_bytes(path.read_bytes() + b"\n")
    os.utime(target, (1, 1))
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize("change", [older, added, removed, linked])
def test_every_rule_that_reads_entries_is_rerun(tmp_path, change):
    (tmp_path / "data").mkdir()
    for name in ("a.json", "b.jsonl"):
        write_entries(tmp_path / "data" / "a.json", entries()).replace(tmp_path / "data" / name)
    config = {"sources": [str(tmp_path / "data")], "graphs": {"pretrain": 10}, "n_materials": 15}
    assert {"sample", "sample_pretraining"} <= changed_rules(config, tmp_path / "data" / "b.jsonl", change)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *(("test003.cif", change) for change in (older, added, removed, linked)),
        *(("id_prop.csv", change) for change in (older, removed, linked)),
    ],
)
def test_every_rule_that_reads_structure_files_is_rerun(tmp_path, name, change):
    folder = write_files(tmp_path / "data", structures())
    (folder / "id_prop.csv").write_text("".join(f"{mat_id},1.0\n" for mat_id in structures()))
    config = {"sources": [str(folder)], "graphs": {"pretrain": 10}, "n_materials": 15}
    assert {"sample", "sample_pretraining"} <= changed_rules(config, folder / name, change)


@pytest.mark.parametrize("change", [older, linked])
def test_rules_that_read_tables_are_rerun(tmp_path, change):
    table = tmp_path / "data" / "table.csv"
    table.parent.mkdir()
    table.write_text("a,b\n")
    config = {"composition": {"element_table": str(table)}, "combinations": ["compimage"]}
    assert "build_element_table" in changed_rules(config, table, change)
    (name,) = TABLE_RUN["tables"]
    section = {**TABLE_RUN["tables"][name], "file": str(table)}
    config = {**TABLE_RUN, "tables": {name: section}}
    assert "read_composition_table" in changed_rules(config, table, change)


def changed_rules(config, path, change):
    with planning_folder() as folder:
        before = plan(config, folder)
        same = reruns(before, plan(config, folder))
        change(path)
        found = reruns(before, plan(config, folder))
    assert same.changed == same.added == frozenset()
    return found.changed


def test_a_new_version_of_a_package_reruns_the_rules_that_use_it(install):
    with planning_folder() as folder:
        before = plan({}, folder)
        install("torch-geometric", "999")
        changed = reruns(before, plan({}, folder)).changed
    assert {"fit_network", "embed_graphs"} <= changed
    assert not {"sample", "write_structures", "render_images", "describe_compositions"} & changed
