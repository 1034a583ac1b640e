"""Stored results of parsing are reused only for the same content."""

import ast
import json
from pathlib import Path

import pytest

from polyfacet.runtime import parsed_code as module
from polyfacet.runtime.parsed_code import NOTES, parsed_code

CODE = '"""Doc."""\n\nfrom polyfacet.runtime import files  # a comment\n\n\ndef f():\n    import numpy\n'


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a Python file in a folder where Snakemake has run."""
    monkeypatch.chdir(tmp_path)
    NOTES.parent.mkdir()
    path = tmp_path / "code.py"
    path.write_text(CODE)
    module._notes.cache_clear()
    return path


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that records the name of each parsed file."""
    names: list[str] = []
    parse = ast.parse

    def counted(content: bytes, filename: str) -> ast.Module:
        names.append(filename)
        return parse(content, filename=filename)

    monkeypatch.setattr(module.ast, "parse", counted)
    return names


def in_a_new_process(path: Path) -> module.ParsedCode:
    module._notes.cache_clear()
    return parsed_code(path)


def test_imports_anywhere_in_a_file_are_found(code):
    assert parsed_code(code).imports == {"polyfacet.runtime", "polyfacet.runtime.files", "numpy"}


def test_the_same_content_is_parsed_once_for_all_processes(code, parses):
    first = in_a_new_process(code)
    code.touch()
    assert in_a_new_process(code) == first
    assert len(parses) == 1


def test_changed_content_is_parsed_whatever_its_time_stamp(code, parses):
    first = in_a_new_process(code)
    code.write_text(CODE.replace("numpy", "scipy"))
    assert "scipy" in in_a_new_process(code).imports
    code.write_text(CODE)
    assert in_a_new_process(code) == first
    assert len(parses) == 2


def test_comments_and_docstrings_do_not_change_the_digest(code):
    before = parsed_code(code).digest
    code.write_text(CODE.replace("a comment", "another").replace("Doc", "Text"))
    assert parsed_code(code).digest == before


@pytest.mark.parametrize("damage", ["[1, 2", "7", '{"a": 1}', "\x00", '["key", ["a"]]'])
def test_damaged_notes_are_replaced(code, parses, damage):
    first = in_a_new_process(code)
    whole = NOTES.read_text()
    NOTES.write_text(f"{damage}\n")
    assert in_a_new_process(code) == first
    assert NOTES.read_text() == f"{damage}\n{whole}"
    assert len(parses) == 2


def test_notes_of_a_different_parser_are_ignored(code, parses, monkeypatch):
    in_a_new_process(code)
    monkeypatch.setattr(module, "_parser", lambda: b"another Python")
    in_a_new_process(code)
    assert len(parses) == 2
    assert len({json.loads(line)[0] for line in NOTES.read_text().splitlines()}) == 2


def test_nothing_is_stored_without_the_folder_of_snakemake(code):
    NOTES.parent.rmdir()
    parsed_code(code)
    assert not NOTES.parent.exists()
