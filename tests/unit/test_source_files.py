"""Files of entries as users provide them: each is read, or reported as left out with the reason."""

import bz2
import gzip
import json
import lzma
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from handmade import entries

import sample as script
import sample_pretraining
from polyfacet.runtime.errors import UserError
from polyfacet.sources import json_window
from polyfacet.sources.alexandria.entry_files import entry_files

ENTRIES = entries()[:4]
IDS = [item["data"]["mat_id"] for item in ENTRIES]
TEXT = json.dumps({"entries": ENTRIES})
LINES = "".join(json.dumps(item) + "\n" for item in ENTRIES)
BY_ID = dict(zip(IDS, ENTRIES, strict=True))


def run(tmp_path, *sources, **settings):
    """Draw a sample of all entries; return its identifiers and the summary."""
    outputs = [tmp_path / "out" / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    defaults = {"n_materials": "all", "seed": 0, "filters": {}, "magnetization": "absolute"}
    script.main(list(sources), *outputs, **{**defaults, "max_rejected_fraction": 0.0, **settings})
    return sorted(pq.read_table(outputs[0])["mat_id"].to_pylist()), json.loads(outputs[2].read_text())


def zstd(content: bytes) -> bytes:
    half = len(content) // 2
    # Two frames, as `cat a.zst b.zst` writes them.
    return b"".join(
        pa.compress(part, codec="zstd", asbytes=True) for part in (content[:half], content[half:])
    )


COMPRESSIONS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lzma": lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE),
    ".zst": zstd,
}
FORMS = {
    "list": json.dumps(ENTRIES),
    "entries": TEXT,
    "entries after other keys": json.dumps(
        {"@module": "a", "meta": {"n": 4, "data": []}, "entries": ENTRIES, "z": 1}
    ),
    "entries by identifier": json.dumps(BY_ID),
    "entries by identifier, indented": json.dumps(BY_ID, indent=2),
    "entries by identifier inside": json.dumps({"version": 1, "entries": BY_ID}),
    "lines": LINES,
    "lines without the last end": LINES.rstrip(),
    "lines of Windows": LINES.replace("\n", "\r\n"),
    "lines with blank ones": LINES.replace("\n", "\n\n"),
    "objects over several lines": "\n".join(json.dumps(item, indent=1) for item in ENTRIES),
    "lists one after the other": json.dumps(ENTRIES[:1]) + "\n" + json.dumps(ENTRIES[1:]),
    "files one after the other": json.dumps({"entries": ENTRIES[:3]}) + json.dumps({"entries": ENTRIES[3:]}),
    "a list per line": "\n".join(json.dumps([item]) for item in ENTRIES),
    "an identifier per line": "\n".join(json.dumps({name: item}) for name, item in BY_ID.items()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("window", [7, 900, 1 << 20])
def test_every_form_of_a_document_is_read(tmp_path, monkeypatch, form, window):
    monkeypatch.setattr(json_window, "WINDOW_CHARS", window)
    path = tmp_path / "e.json"
    path.write_text(FORMS[form], newline="")
    found, summary = run(tmp_path, path)
    assert found == IDS
    assert summary["read"] == 4
    assert summary["files_left_out"] == []


@pytest.mark.parametrize(
    "text", [json.dumps(ENTRIES[0]), json.dumps(ENTRIES[0], indent=2), LINES.split("\n")[0] + "\n"]
)
def test_a_single_entry_is_read(tmp_path, text):
    path = tmp_path / "e.json"
    path.write_text(text)
    assert run(tmp_path, path)[0] == IDS[:1]


def test_an_entry_without_an_identifier_takes_its_key(tmp_path):
    items = {f"key-{i}": {**item, "data": {**item["data"]}} for i, item in enumerate(ENTRIES)}
    for item in items.values():
        del item["data"]["mat_id"]
    path = tmp_path / "e.json"
    path.write_text(json.dumps(items))
    assert run(tmp_path, path)[0] == sorted(items)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("ending", [".json", ".json.gz", ".jsonl.zst"])
def test_byte_order_marks_are_read(tmp_path, encoding, ending):
    path = tmp_path / f"e{ending}"
    mark = "\ufeff" if encoding.endswith("-be") else ""
    compress = COMPRESSIONS[path.suffix if path.suffix != ".json" else ""]
    path.write_bytes(compress((mark + LINES).encode(encoding)))
    assert run(tmp_path, path)[0] == IDS


@pytest.mark.parametrize("ending", COMPRESSIONS)
@pytest.mark.parametrize("name", ["e.json", "E.JSON", "e.jsonl", "e.NdJson"])
def test_every_compression_is_read_in_a_folder(tmp_path, name, ending):
    folder = tmp_path / "entries"
    folder.mkdir()
    content = COMPRESSIONS[ending]((TEXT if name.lower()[2:] == "json" else LINES).encode())
    (folder / (name + (ending.upper() if name.isupper() else ending))).write_bytes(content)
    assert run(tmp_path, folder)[0] == IDS


@pytest.mark.parametrize("ending", COMPRESSIONS)
@pytest.mark.parametrize("stated", ["e.json", "e.json.gz", "e.json.bz2", "e.jsonl.zst", "e.json.xz"])
def test_the_content_decides_how_a_file_is_compressed(tmp_path, stated, ending):
    path = tmp_path / stated
    path.write_bytes(COMPRESSIONS[ending](TEXT.encode()))
    assert run(tmp_path, path)[0] == IDS


@pytest.mark.parametrize("ending", [ending for ending in COMPRESSIONS if ending])
def test_a_compressed_file_that_is_cut_short_is_an_error(tmp_path, ending):
    path = tmp_path / f"e.json{ending}"
    content = COMPRESSIONS[ending](json.dumps(ENTRIES * 50).encode())
    path.write_bytes(content[: int(len(content) * 0.8)])
    with pytest.raises(UserError, match="truncated(.|\n)*Get the file again"):
        run(tmp_path, path)


@pytest.fixture
def folder(tmp_path):
    """A folder with one good file."""
    made = tmp_path / "entries"
    made.mkdir()
    (made / "good.json").write_text(TEXT)
    return made


def odd_things(folder):
    """Write files that are not read into a folder; return the name of each and a part of the reason."""
    (folder / "README.md").write_text("# Entries")
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / ".hidden.json").write_text(TEXT)
    (folder / "._good.json").write_bytes(b"\0\5\x16\7")
    (folder / "alexandria_001.json.bz2.part").write_bytes(b"BZh")
    (folder / ".hidden.part").write_text(TEXT)
    (folder / "deeper.part").mkdir()
    (folder / "empty.json").touch()
    (folder / "dangling.json").symlink_to(folder / "nowhere" / "gone.json")
    (folder / "loop.json").symlink_to(folder / "loop.json")
    (folder / "again.json").symlink_to("good.json")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "more.json").write_text(TEXT)
    (folder / "deeper.json").mkdir()
    (folder / "packed.json.zip").write_bytes(b"PK\3\4")
    (folder / "packed.tar.gz").write_bytes(gzip.compress(b"x"))
    (folder / "entries.json.lz4").write_bytes(b"x")
    os.mkfifo(folder / "pipe.json")
    return {
        "README.md": "does not end in",
        "table.csv": "does not end in",
        ".hidden.json": "hidden",
        "._good.json": "hidden",
        "alexandria_001.json.bz2.part": "an unfinished download",
        ".hidden.part": "hidden",
        "deeper.part": "folder",
        "empty.json": "empty",
        "dangling.json": "gone.json, which does not exist",
        "loop.json": "Too many levels of symbolic links",
        "again.json": "the same file as",
        "deeper": "folder",
        "deeper.json": "folder",
        "packed.json.zip": "unpack",
        "packed.tar.gz": "does not end in",
        "entries.json.lz4": "unpack",
        "pipe.json": "not a regular file",
    }


def test_skipped_files_are_named_with_the_reason(tmp_path, folder, capfd):
    expected = odd_things(folder)
    (folder / "again.json").unlink()
    (folder / "zagain.json").symlink_to("good.json")
    expected["zagain.json"] = expected.pop("again.json")
    found, summary = run(tmp_path, folder)
    assert found == IDS
    left_out = {Path(item["file"]).name: item["reason"] for item in summary["files_left_out"]}
    assert left_out.keys() == expected.keys()
    assert {name for name in expected if expected[name] not in left_out[name]} == set()
    said = capfd.readouterr().err
    assert said.count("left out: ") == 11
    assert "7 more" in said


@pytest.mark.parametrize("record", [".more.json.part.validator", ".more.json.origin"])
def test_unfinished_downloads_are_not_named(tmp_path, folder, record):
    (folder / "more.json.part").write_text("[")
    (folder / record).write_text("{}")
    found, summary = run(tmp_path, folder)
    assert found == IDS
    assert summary["files_left_out"] == []


def test_nothing_to_read_is_an_error_with_the_reasons(tmp_path, folder):
    (folder / "good.json").unlink()
    (folder / "X.JSON.ZIP").write_text("x")
    (folder / "empty.json").touch()
    with pytest.raises(
        UserError, match=r"no entry file is in(.|\n)*X.JSON.ZIP: packed(.|\n)*empty.json: empty"
    ):
        run(tmp_path, folder)


@pytest.mark.parametrize(
    "name",
    ["dangling.json", "empty.json", "loop.json", "pipe.json", "README.md", "packed.json.zip"],
)
def test_an_unreadable_source_is_an_error_when_it_is_named(tmp_path, folder, name):
    reason = odd_things(folder)[name]
    with pytest.raises(UserError, match=f"{name} cannot be used: .*{reason}"):
        run(tmp_path, folder / name)


def test_files_without_permission_are_left_out(tmp_path, folder, monkeypatch):
    (folder / "secret.json").write_text(TEXT)
    (folder / "secret.json").chmod(0)
    if os.access(folder / "secret.json", os.R_OK):  # root may read everything
        monkeypatch.setattr(os, "access", lambda path, _: "secret" not in str(path))
    found, summary = run(tmp_path, folder)
    assert found == IDS
    assert [item["reason"] for item in summary["files_left_out"]] == ["no permission to read it"]


def test_a_hidden_file_and_a_link_out_of_the_folder_are_read_when_asked_for(tmp_path, folder):
    hidden = tmp_path / ".e.json"
    hidden.write_text(json.dumps(ENTRIES[:2]))
    (folder / "good.json").unlink()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text(json.dumps(ENTRIES[2:]))
    (folder / "link.json").symlink_to(outside / "x")
    assert run(tmp_path, hidden, folder)[0] == IDS


def test_pretraining_reads_the_same_files(tmp_path, folder):
    odd_things(folder)
    (folder / "more.jsonl").write_text("".join(json.dumps(item) + "\n" for item in entries()[4:]))
    run(tmp_path, folder / "good.json")
    outputs = [tmp_path / name for name in ("pretraining.parquet", "pretraining.json")]
    draw = {"n_materials": 99, "seed": 0, "filters": {}, "magnetization": "absolute"}
    sample_pretraining.main([folder], tmp_path / "out" / "sample.parquet", *outputs, **draw)
    assert pq.read_metadata(outputs[0]).num_rows == len(entries()) - 4


BLANKS = {
    "blank.json": (b" \n\t\r\n", "empty (nothing but white space)"),
    "marked.json": (b"\xef\xbb\xbf \n", "empty (nothing but white space)"),
    "wide.json": ("\n ".encode("utf-16"), "empty (nothing but white space)"),
    "blank.json.gz": (gzip.compress(b"\n"), "empty (nothing but white space)"),
    "nothing.json.bz2": (bz2.compress(b""), "empty (nothing but white space)"),
    "object.json": (b"{}", "empty (nothing but {})"),
    "list.json": (b" [ \n ]\n", "empty (nothing but [])"),
    "lines.jsonl": (b"{}\n{}\n", "empty (nothing but {}{})"),
    "entries.json": (b'{"entries" : [ ]}', 'empty (nothing but {"entries":[]})'),
}


def test_files_of_a_folder_in_which_there_is_nothing_are_left_out(tmp_path, folder):
    for name, (content, _) in BLANKS.items():
        (folder / name).write_bytes(content)
    found, summary = run(tmp_path, folder)
    assert found == IDS
    left_out = {Path(item["file"]).name: item["reason"] for item in summary["files_left_out"]}
    assert left_out == {name: reason for name, (_, reason) in BLANKS.items()}


@pytest.mark.parametrize("content", [b'[{"a": 1}]', b"[[]]", b"{} x", b'{"a": 1}', b"\x1f\x8babc", b"0"])
def test_a_file_of_a_folder_that_is_not_empty_is_never_left_out_as_such(tmp_path, folder, content):
    (folder / "other.json").write_bytes(content)
    assert [path.name for path in entry_files([folder]).files] == ["good.json", "other.json"]


def test_a_blank_file_that_is_named_beside_its_folder_is_an_error(tmp_path, folder):
    (folder / "blank.json").write_text(" ")
    with pytest.raises(UserError, match="the file is empty"):
        run(tmp_path, folder, folder / "blank.json")


def test_only_blank_files_are_an_error_with_the_reasons(tmp_path, folder):
    (folder / "good.json").write_text(" \n")
    with pytest.raises(UserError, match=r"no entry file is in(.|\n)*good.json: empty \(nothing but white"):
        run(tmp_path, folder)


AGAIN = "Get the file again"
ITEM = json.dumps(ENTRIES[0])


@pytest.mark.parametrize(
    "text",
    [
        f"[{ITEM},]",
        f"[{ITEM} ,\n  ]\n",
        f"[{ITEM},,{ITEM}]",
        f"[,{ITEM}]",
        f'{{"entries": [{ITEM},]}}',
        f'{{"entries": [{ITEM}],}}',
        f'{{"a": 1, "entries": [{ITEM}], }}',
        f'{{"m": {ITEM},}}',
        f'{{"m": {ITEM},,"n": {ITEM}}}',
        f'{{"entries": {{"m": {ITEM},}}}}',
        f"[{ITEM[:-1]},}}]",
        f"[{ITEM[:-1]}, \n }}]{' ' * 100}",
        f"{ITEM[:-1]},}}",
        f'[{ITEM[:-1]}, "x": [1, 2,]}}]',
        f'[{ITEM[:-1]}, "x": [1,, 2]}}]',
    ],
)
def test_a_comma_too_many_is_named(tmp_path, text):
    path = tmp_path / "e.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"e\.json: .*a comma too many.*Take the comma out") as error:
        run(tmp_path, path)
    assert AGAIN not in str(error.value)


@pytest.mark.parametrize(
    "text", [f"[{ITEM} {ITEM}]", f'{{"entries": [{ITEM}] "a": 1}}', f'{{"m": {ITEM} "n": 1}}']
)
def test_a_missing_comma_is_named(tmp_path, text):
    path = tmp_path / "e.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"a comma is missing.*Put a comma between them"):
        run(tmp_path, path)


@pytest.mark.parametrize(
    ("name", "content", "message", "is_damage"),
    [
        ("e.json", b"", "empty", False),
        ("e.json", b" \n ", "the file is empty", False),
        ("e.json.gz", gzip.compress(b"", mtime=0), "the file is empty", False),
        ("e.json", b"mat_id,formula\n", "no JSON list or object, but 'm'.*JSON Lines", False),
        ("e.json", b'{"a": 1}', r"no entries in the document \(its keys: 'a'\).*JSON Lines", False),
        ("e.json", b"{}", r"no entries in the document \(its keys: none\)", False),
        ("e.json", b'{"results": [{"structure": 1}]}', r"no entries .*its keys: 'results'", False),
        ("e.json", TEXT.encode() + b"x", "text after the end of the JSON document", False),
        ("e.json", LINES.replace("\n", ",\n").encode(), "text after the end of the JSON document", False),
        ("e.json", b"PK\3\4abc", "ZIP archive.*Unpack it", False),
        ("e.json", TEXT.replace("AB_test", "\xe4").encode("latin-1"), "not UTF-8.*Save it as UTF-8", False),
        ("e.json.bz2", b"\x80\2abc", "neither bzip2 nor JSON", True),
        ("e.json.gz", b"\x1f\x8babc", "damaged|truncated", True),
        ("e.json", TEXT[:-30].encode(), "at entry 3", True),
        ("e.jsonl", LINES[:-30].encode(), "at entry 3", True),
        ("e.json", json.dumps(BY_ID)[:-30].encode(), "at entry 3", True),
    ],
)  # fmt: skip
def test_messages_state_the_problem_and_the_fix(tmp_path, name, content, message, is_damage):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        run(tmp_path, path)
    assert str(path) in str(error.value)
    assert (AGAIN in str(error.value)) is is_damage


@pytest.mark.parametrize(
    ("text", "n_invalid"),
    [
        ('{"version": 1}\n' + LINES, 1),
        (json.dumps({"broken": None, "odd": {"x": 1}, **BY_ID, "late": 7}), 3),
        (json.dumps({"@module": "m", "@class": "c", **BY_ID, "@version": "2"}), 0),
        (LINES + "{}\n", 1),
    ],
)
def test_values_that_are_not_entries_are_rejected(tmp_path, text, n_invalid):
    path = tmp_path / "e.json"
    path.write_text(text)
    found, summary = run(tmp_path, path, max_rejected_fraction=1)
    assert found == IDS
    assert summary["invalid"] == n_invalid
    assert summary["read"] == 4 + n_invalid
    positions = pq.read_table(tmp_path / "out" / "rejected.parquet")["source_position"].to_pylist()
    assert len(set(positions)) == n_invalid


def test_lines_are_read_by_the_fast_parser(tmp_path, monkeypatch):
    slow = []
    standard = json_window.JsonWindow.value
    monkeypatch.setattr(json_window.JsonWindow, "value", lambda self: slow.append(0) or standard(self))
    path = tmp_path / "e.jsonl"
    path.write_text(LINES * 200)
    assert run(tmp_path, path)[1]["read"] == 800
    assert len(slow) < 40


def test_an_object_without_entries_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(json_window, "MAX_ENTRY_CHARS", 4 << 20)
    path = tmp_path / "e.json"
    path.write_text("{" + ",".join(f'"k{i}": "{"x" * 9000}"' for i in range(2000)) + "}")
    with pytest.raises(UserError, match="no entries in the document"):
        run(tmp_path, path)
