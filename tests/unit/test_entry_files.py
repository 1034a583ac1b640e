"""Files of entries: how many entries they hold, estimated without opening one."""

import bz2
import json

import pytest
from handmade import entries, write_entries

from polyfacet.sources.alexandria.entry_files import ENTRIES_PER_PUBLISHED_FILE, estimated_entries


@pytest.mark.parametrize("suffix", [".json", ".json.bz2", ".json.gz"])
def test_real_entries_are_estimated_within_a_factor_of_two(alexandria_1d, tmp_path, suffix):
    with bz2.open(alexandria_1d / "alexandria_1d_000.json.bz2") as stream:
        loaded = json.load(stream)["entries"][:1000]
    path = write_entries(tmp_path / f"entries{suffix}", loaded)
    assert 500 < estimated_entries([str(path)], {}) < 2000


def test_a_folder_counts_its_entry_files_and_what_is_missing_counts_nothing(tmp_path):
    files = [write_entries(tmp_path / name, entries()) for name in ("a.json", "b.json")]
    (tmp_path / "notes.txt").write_text("x" * 1_000_000)
    expected = sum(estimated_entries([str(path)], {}) for path in files)
    assert estimated_entries([str(tmp_path)], {}) == expected > 0
    assert estimated_entries([str(tmp_path / "absent.json")], {}) == 0


def test_a_published_file_counts_the_same_before_and_after_its_download(tmp_path):
    path = tmp_path / "alexandria_000.json.bz2"
    before = estimated_entries([str(path)], {str(path)})
    path.write_bytes(b"x" * 1000)
    assert estimated_entries([str(path)], {str(path)}) == before == ENTRIES_PER_PUBLISHED_FILE
