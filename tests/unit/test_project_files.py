"""Files and packages that the Snakefile needs before it can say anything."""

import importlib.util

from polyfacet.runtime import project_files


def test_packages_that_snakemake_does_not_bring_are_named(monkeypatch):
    assert project_files.missing_packages() == ""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tqdm" else find(name))
    assert "lacks tqdm, with which" in project_files.missing_packages()
    assert "pip install tqdm)" in project_files.missing_packages()


def test_files_of_the_project_are_found_only_if_there_is_none_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    entries = "embedded/entries.json.bz2"
    assert project_files.located(entries) == str(project_files.PROJECT / entries)
    (tmp_path / "embedded").mkdir()
    (tmp_path / entries).touch()
    assert project_files.located(entries) == entries
    assert project_files.located("nowhere.csv") == "nowhere.csv"
