"""The state of provided files: changed content means a changed state, however it was changed."""

import gzip
import os
import random
import shutil

import pytest

from polyfacet.runtime.file_state import WHOLE_BYTES, Origin, state_of_files

SMALL = b"[1, 2, 3]"
LARGE = gzip.compress(random.Random(0).randbytes(WHOLE_BYTES))


def other(content: bytes) -> bytes:
    """Return different content of the same size."""
    if content == SMALL:
        return b"[1, 2, 4]"
    return gzip.compress(bytes([gzip.decompress(content)[0] ^ 1]) + gzip.decompress(content)[1:])


@pytest.fixture(params=[SMALL, LARGE], ids=["small", "large"])
def content(request):
    assert len(other(request.param)) == len(request.param)
    return request.param


def rewritten(path, content):
    path.write_bytes(other(content))


def replaced_by_an_older_file(path, content):
    old = path.with_name("old")
    old.write_bytes(content + b" ")
    os.utime(old, (1, 1))
    shutil.copy2(old, path)


def replaced_at_the_same_time(path, content):
    """The new content has the size and time stamp of the old one."""
    before = path.stat()
    path.write_bytes(other(content))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def moved_here(path, content):
    new = path.with_name("new")
    new.write_bytes(other(content))
    os.utime(new, (1, 1))
    new.replace(path)


def removed(path, content):
    path.unlink()


def replaced_by_a_link(path, content):
    target = path.with_name("target")
    target.write_bytes(other(content))
    os.utime(target, (1, 1))
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize(
    "change",
    [
        rewritten,
        replaced_by_an_older_file,
        replaced_at_the_same_time,
        moved_here,
        removed,
        replaced_by_a_link,
    ],
)
def test_a_changed_file_has_a_new_state(tmp_path, content, change):
    path = tmp_path / "e.json.gz"
    path.write_bytes(content)
    before = state_of_files([path])
    assert state_of_files([path]) == before
    change(path, content)
    assert state_of_files([path]) != before


def test_a_link_with_a_new_target_has_a_new_state(tmp_path, content):
    for name, text in [("a", content), ("b", other(content))]:
        (tmp_path / name).write_bytes(text)
        os.utime(tmp_path / name, (1, 1))
    link = tmp_path / "link.json"
    states = set()
    for name in "ab":
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        states.add(state_of_files([link]))
    assert len(states) == 2


def test_added_and_renamed_files_are_a_new_state(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(SMALL)
    a, b = tmp_path / "a", tmp_path / "b"
    assert len({state_of_files(paths) for paths in ([a], [b], [a, b], [b, a], [])}) == 5


def test_moving_a_folder_with_its_sources_keeps_their_state(tmp_path, monkeypatch, content):
    states = []
    for name in ("here", "there"):
        if states:
            (tmp_path / "here").rename(tmp_path / "there")
        else:
            (tmp_path / "here" / "data").mkdir(parents=True)
            (tmp_path / "here" / "data" / "e.json.gz").write_bytes(content)
        monkeypatch.chdir(tmp_path / name)
        states.append(state_of_files(["data/e.json.gz"]))
    assert states[0] == states[1]


def test_a_new_time_stamp_alone_does_not_change_the_state_of_a_small_file(tmp_path):
    path = tmp_path / "e.json"
    path.write_bytes(SMALL)
    before = state_of_files([path])
    os.utime(path, (1, 1))
    assert state_of_files([path]) == before


def test_a_downloaded_file_has_the_state_from_before_the_download(tmp_path, content):
    path = tmp_path / "e.json.gz"
    before = state_of_files([path])
    path.write_bytes(content)
    placed_by_hand = state_of_files([path])
    Origin.write(path, "https://example.org/e.json.gz", "0" * 64, path)
    assert state_of_files([path]) == before != placed_by_hand
    replaced_by_an_older_file(path, content)
    assert state_of_files([path]) != before


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"url": 1}', "\0"])
def test_a_damaged_origin_is_ignored(tmp_path, note):
    path = tmp_path / "e.json.gz"
    path.write_bytes(SMALL)
    before = state_of_files([path])
    Origin.path(path).write_text(note)
    assert state_of_files([path]) == before
