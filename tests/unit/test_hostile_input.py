"""Malicious input: decompression bombs, markup and invalid names."""

import bz2
import gzip
from collections.abc import Callable

import numpy as np
import pytest
from handmade import entry, structures
from matplotlib import pyplot as plt
from PIL import Image

from polyfacet.config.completion import complete_config
from polyfacet.materials.crystal import Crystal
from polyfacet.reporting.picture_sheets import contact_sheet, save
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.markdown import plain
from polyfacet.sources import json_window as reader
from polyfacet.sources import reading_pass
from polyfacet.sources.alexandria.entries import read_entries
from polyfacet.sources.alexandria.entry_part import EntryPart
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.draw import Draw
from polyfacet.sources.values import InvalidEntryError

OPENERS: dict[str, Callable[..., object]] = {"bz2": bz2.open, "gz": gzip.open}


@pytest.mark.parametrize("suffix", OPENERS)
@pytest.mark.parametrize("content", [b"\0", b" ", b"[", b"[0" + b",0" * 10])
def test_a_decompression_bomb_is_stopped(tmp_path, monkeypatch, suffix, content):
    monkeypatch.setattr(reader, "ALWAYS_READ_CHARS", 1 << 20)
    path = tmp_path / f"bomb.json.{suffix}"
    with OPENERS[suffix](path, "wb") as stream:
        for _ in range(4):
            stream.write((content * (1 << 20))[: 1 << 20])
    with pytest.raises(UserError, match=r"bomb\.json.*at entry \d+"):
        for _ in read_entries(path):
            pass


def test_a_file_that_expands_too_far_is_named_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "ALWAYS_READ_CHARS", 1 << 20)
    path = tmp_path / "bomb.json.bz2"
    path.write_bytes(bz2.compress(b" " * (8 << 20)))
    with pytest.raises(UserError, match="expands to more than 200 times its size at entry 0"):
        list(read_entries(path))


def test_an_endless_entry_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MAX_ENTRY_CHARS", 1 << 20)
    path = tmp_path / "endless.json"
    path.write_text('[{"a": "' + "x" * (8 << 20))
    with pytest.raises(UserError, match="an entry longer than 1 MiB at entry 0"):
        list(read_entries(path))


def test_a_file_without_entries_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_pass, "MAX_INVALID", 100)
    path = tmp_path / "zeros.json"
    path.write_text("[0" + ",0" * 1000 + "]")
    with pytest.raises(UserError, match=r"zeros\.json: more than 100 .* such as entry 100: entry is not"):
        reading_pass.pass_over(EntryPart(path), tmp_path, Draw(None, 0))


@pytest.mark.parametrize("field", ["formula", "prototype_id"])
@pytest.mark.parametrize("text", ["\ud800", "Na\0Cl", "Na\nCl", "\u202eNaCl", "\ufeffNaCl", "Na" * 500, 7])
def test_an_invalid_name_is_rejected(field, text):
    raw = entry("a", structures()["test000"], **{field: text})
    with pytest.raises(InvalidEntryError, match=field):
        material_from_entry(raw)


@pytest.mark.parametrize(
    "mat_id", ["../x", "/etc/x", "a/b", "..", ".", ".x", "...x", "a\\b", "a\0", "", "a b", "x" * 65, None]
)
def test_an_identifier_that_could_leave_the_folder_is_rejected(mat_id):
    with pytest.raises(InvalidEntryError, match="mat_id"):
        material_from_entry(entry(mat_id, structures()["test000"]))


def nested(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("change", [{"spg": True}, {"nsites": nested(900)}, {"e_form": nested(900)}])
def test_a_value_of_the_wrong_type_is_rejected(change):
    with pytest.raises(InvalidEntryError, match=next(iter(change))):
        material_from_entry(entry("a", structures()["test000"], **change))


@pytest.mark.parametrize("mat_id", [r'"\ud800"', "[" * 900 + "]" * 900])
def test_rejects_with_any_identifier_can_be_written(tmp_path, mat_id):
    path = tmp_path / "entries.json"
    path.write_text(f'[{{"data": {{"mat_id": {mat_id}}}}}]')
    found = reading_pass.pass_over(EntryPart(path), tmp_path, Draw(None, 0))
    assert found.invalid.num_rows == 1


def test_a_formula_with_an_overflowing_amount_is_rejected():
    with pytest.raises(InvalidEntryError, match="formula cannot be read"):
        material_from_entry(entry("a", structures()["test000"], formula="Na1e999Cl"))


def test_invalid_occupancies_are_rejected():
    raw = entry("a", structures()["test000"])
    raw["structure"]["sites"][0]["species"][0]["occu"] = 1.5
    with pytest.raises(InvalidEntryError, match=r"occupancies of site 0 add up to 1\.5"):
        material_from_entry(raw)


def test_a_cell_with_a_very_long_axis_is_rejected_before_it_exhausts_memory():
    with pytest.raises(ValueError, match=r"a lattice vector is 2e\+04 A long"):
        Crystal(np.diag([2e4, 4.0, 4.0]), np.zeros((1, 3)), np.array([26]))
    assert len(Crystal(np.diag([9e3, 9e3, 9e3]), np.zeros((1, 3)), np.array([26]))) == 1


def test_close_atoms_in_a_large_cell_are_found():
    with pytest.raises(ValueError, match=r"atoms \d and \d are 0.09 A apart"):
        Crystal(np.diag([100.0] * 3), np.array([[0, 0, 0], [0.09, 0, 0]]), np.array([26, 26]))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"seed": "| a |"}, "seed = "),
        ({"images": {"size": "`"}}, "images.size = "),
        ({"splits": nested(900)}, "nested too deeply"),
    ],
)
def test_an_invalid_configuration_is_rejected(config, message):
    with pytest.raises(UserError, match=message):
        complete_config(config)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("![x](https://example.org)", "\\!\\[x\\](https:\u2060//example.org)"),
        ("a | b `c` *d*\n\n# e", r"a \| b \`c\` \*d\* \# e"),
        ("x" * 400, "x" * 300 + "..."),
        ("two sites are closer than 0.01 A", "two sites are closer than 0.01 A"),
    ],
)
def test_text_from_outside_is_plain_in_the_report(text, shown):
    assert plain(text) == shown


def test_a_formula_is_not_typeset_as_mathematics_in_a_figure(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    figure = contact_sheet([tmp_path / "a.png"], [r"$\frac{$"])
    save(figure, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").is_file()
    plt.close("all")


def test_a_message_can_be_printed_whatever_it_quotes():
    assert str(UserError("\ud800 is no name")) == r"\ud800 is no name"
