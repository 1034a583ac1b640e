"""Reading raw entries: all forms of a file give the same entries, every damage gives a clear error."""

import json
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from handmade import entries, write_entries
from hypothesis import given
from hypothesis import strategies as st

from polyfacet.runtime.errors import UserError
from polyfacet.sources import json_window as reader
from polyfacet.sources.alexandria.entries import read_entries
from polyfacet.sources.alexandria.entry_files import entry_files


@pytest.mark.parametrize("name", ["e.json", "e.json.bz2", "e.json.gz"])
@pytest.mark.parametrize("bare", [True, False])
def test_every_form_of_a_file_gives_the_same_entries(tmp_path, name, bare):
    path = write_entries(tmp_path / name, entries(), bare=bare)
    assert list(read_entries(path)) == list(enumerate(entries()))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=5), st.integers(1, 40), st.booleans())
def test_the_size_of_the_window_does_not_matter(items, window, escaped):
    """Wherever the window cuts the text, the same values come out."""
    text = json.dumps({"before": [1, {}], "entries": items, "after": "y"}, ensure_ascii=escaped)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "e.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        patch.setattr(reader, "WINDOW_CHARS", window)
        assert [value for _, value in read_entries(path)] == items


ENTRIES = st.fixed_dictionaries(
    {"head": st.just("x" * 80), "value": VALUES, "tail": st.text('"\\\\{}[], x', max_size=6)}
)


@given(st.lists(ENTRIES, max_size=8), st.integers(1, 2000), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_entries_that_begin_alike_come_out_as_they_went_in(items, window, separators):
    """Entries that the fast parser reads, wherever the window cuts them, whatever stands in them."""
    text = json.dumps(items, separators=separators)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "e.json"
        path.write_text(text)
        patch.setattr(reader, "WINDOW_CHARS", window)
        assert list(read_entries(path)) == list(enumerate(json.loads(text)))


def test_the_beginning_of_an_entry_inside_an_entry_misleads_nobody(tmp_path):
    """What separates entries stands in a string, and between the objects of a list, as well."""
    plain = {"head": "x" * 80}
    nested = plain | {"objects": [plain, plain, plain], "text": json.dumps([plain, plain])}
    items = [plain, plain, nested, plain, nested, nested, plain]
    path = write_entries(tmp_path / "e.json", items)
    assert list(read_entries(path)) == list(enumerate(items))


def test_the_standard_parser_reads_only_what_the_fast_one_cannot(tmp_path, monkeypatch):
    slow = []
    standard = reader.JsonWindow.value
    monkeypatch.setattr(reader.JsonWindow, "value", lambda self: slow.append(0) or standard(self))
    path = write_entries(tmp_path / "e.json", entries() * 20, bare=True)
    assert len(list(read_entries(path))) == 300
    # The first entry, and the last.
    assert len(slow) == 2


def test_an_entry_that_never_ends_is_refused_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MAX_ENTRY_CHARS", 1 << 20)
    monkeypatch.setattr(reader, "WINDOW_CHARS", 1 << 16)
    path = write_entries(tmp_path / "e.json.gz", [*entries(), {"head": "x" * (1 << 24)}])
    tracemalloc.start()
    with pytest.raises(UserError, match="an entry longer than 1 MiB at entry 15"):
        list(read_entries(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6


def test_white_space_and_empty_lists_are_fine(tmp_path):
    path = tmp_path / "e.json"
    path.write_text(' \n{ "entries" : [ ] }\n ')
    assert list(read_entries(path)) == []


def test_nan_is_read_and_left_to_the_check_of_the_entry(tmp_path):
    path = tmp_path / "e.json"
    path.write_text('[{"x": NaN}, {"x": 1}]')
    assert len(list(read_entries(path))) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"entries": [{"a": 1}, {"b": ', "at entry 1"),
        ('[{"a": 1}, {"b": tru}, {}]' + " " * 100, "malformed JSON .* at entry 1"),
        ('[{"a": 1}', "the file ends early at entry 1"),
        ('[{"a": 1}] trailing', "text after the end"),
        ('{"other": []}', "no entries in the document"),
        ("", "the file is empty at entry 0"),
        ("[" * 200_000, "at entry 0"),
        ('[{"a": ' + "9" * 10_000 + "}]", "malformed JSON"),
    ],
)
def test_damage_names_file_and_entry(tmp_path, text, message):
    path = tmp_path / "damaged.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        list(read_entries(path))
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["e.json.bz2", "e.json.gz"])
def test_a_truncated_compressed_file_is_an_error(tmp_path, name):
    path = write_entries(tmp_path / name, entries() * 50)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match="truncated"):
        list(read_entries(path))


def test_memory_stays_flat(tmp_path):
    """Reading twenty times as much takes no more memory."""
    peaks = []
    for copies in (100, 2000):
        path = write_entries(tmp_path / f"{copies}.json.gz", entries() * copies)
        tracemalloc.start()
        assert sum(1 for _ in read_entries(path)) == 15 * copies
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]
    assert peaks[1] < 40e6


def test_sources_are_files_and_folders_each_once(tmp_path):
    a = write_entries(tmp_path / "a.json", [])
    b = write_entries(tmp_path / "b.json.gz", [])
    (tmp_path / "notes.txt").write_text("")
    found = entry_files([b, tmp_path, a])
    assert found.files == [a, b]
    assert [left.path.name for left in found.left_out] == ["notes.txt"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.json", "does not exist"),
        ("a.txt", "its name does not end in .json"),
        ("none", "does not exist: put the file there or correct the path"),
        ("none.xlsx", "does not exist"),
        ("a.txt", "If it is a table, save it as CSV"),
        ("a.tsv", "If it is a table, save it as CSV"),
        ("a.xlsx", "If it is a table, save it as CSV"),
    ],
)
def test_wrong_sources_are_named(tmp_path, name, message):
    for wrong in ("a.txt", "a.tsv", "a.xlsx"):
        (tmp_path / wrong).write_text("")
    with pytest.raises(UserError, match=message):
        entry_files([tmp_path / name])


def test_a_folder_without_entry_files_is_an_error(tmp_path: Path):
    with pytest.raises(UserError, match="no entry file is in"):
        entry_files([tmp_path])
