"""Attacks on all readers of external input; tests/fuzz/run.py makes longer ones."""

import pytest
from fuzz.campaign import WatchError, attack, watched
from fuzz.targets import TARGETS, read_cif_file, read_config, read_entry, read_file
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

CASES = {
    "entry": 3000,
    "file": 600,
    "config": 150,
    "cif": 60,
    "structure": 60,
    "graph": 30,
    "text": 60,
    "scene": 20,
    "table": 200,
    "folder": 60,
    "task": 60,
}
# Factor by which the longer attack has more cases.
LONGER = 20
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
briefly = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.filterwarnings("ignore")
def test_mutated_documents_are_accepted_or_rejected(name, tmp_path):
    with watched(tmp_path):
        found = attack(name, TARGETS[name], range(CASES[name]), seed=0, folder=tmp_path)
    assert found.unexpected == {}
    assert found.outcomes.total() == CASES[name]
    assert found.outcomes["taken"]


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.filterwarnings("ignore")
def test_many_more_mutated_documents_are_accepted_or_rejected(name, tmp_path):
    with watched(tmp_path):
        found = attack(name, TARGETS[name], range(LONGER * CASES[name]), seed=1, folder=tmp_path)
    assert found.unexpected == {}
    assert found.outcomes.total() == LONGER * CASES[name]


@briefly
@given(VALUES)
def test_any_value_is_accepted_or_rejected_as_an_entry(tmp_path, value):
    read_entry(value, tmp_path)
    read_entry({"data": value, "structure": value}, tmp_path)


@briefly
@given(VALUES)
def test_any_value_is_accepted_or_rejected_as_a_configuration(tmp_path, value):
    read_config(value, tmp_path)
    read_config({"images": value, "run_name": value}, tmp_path)


@briefly
@given(st.binary())
@example(b"[" * 100_000)
@example(b'[{"a": ' + b"9" * 5000 + b"}]")
@example(b"\xef\xbb\xbf[]")
@example(b'["\\ud800"]')
def test_any_bytes_are_accepted_or_rejected_as_a_file(tmp_path, content):
    read_file(content, tmp_path)


@briefly
@given(st.text())
def test_any_text_is_accepted_or_rejected_as_a_crystal(tmp_path, text):
    read_cif_file(text, tmp_path)


def test_a_write_outside_the_folder_is_detected(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    with watched(inside):
        (inside / "x").write_text("1")
        with pytest.raises(WatchError):
            outside.write_text("1")
        with pytest.raises(WatchError):
            (inside / ".." / "folder").mkdir()
    assert not outside.exists()
