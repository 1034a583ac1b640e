"""Everything in a file of entries is read or named: nothing is lost silently."""

import bz2
import gzip
import json
import lzma
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from handmade import entries

import sample as script
import sample_pretraining
from polyfacet.runtime.errors import UserError

ENTRIES = entries()[:4]
IDS = [item["data"]["mat_id"] for item in ENTRIES]
ONE, TWO, THREE, FOUR = map(json.dumps, ENTRIES)
LINES = "".join(json.dumps(item) + "\n" for item in ENTRIES)


def run(tmp_path: Path, source: Path, limit: float = 1.0) -> tuple[list[str], dict[str | None, str]]:
    """Draw a sample of all entries; return their identifiers, and the reasons of the rejects."""
    outputs = [tmp_path / "out" / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    settings = {"n_materials": "all", "seed": 0, "filters": {}, "magnetization": "absolute"}
    script.main([source], *outputs, **settings, max_rejected_fraction=limit)
    rejected = pq.read_table(outputs[1]).to_pylist()
    return pq.read_table(outputs[0])["mat_id"].to_pylist(), {row["mat_id"]: row["reason"] for row in rejected}


def written(tmp_path: Path, content: str | bytes, name: str = "e.json") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def unnamed(item: dict[str, object], **data: object) -> dict[str, object]:
    """Return an entry without its identifier."""
    kept = {key: value for key, value in dict(item["data"]).items() if key != "mat_id"}
    return {**item, "data": kept | data}


@pytest.mark.parametrize(
    "text",
    [
        f'{{"entries": [{ONE}], "x": {TWO}, "y": {THREE}, "entries": [{FOUR}]}}',
        f'{{"entries": {{"{IDS[0]}": {ONE}, "{IDS[1]}": {TWO}}}, "entries": [{THREE}, {FOUR}]}}',
        f'{{"{IDS[0]}": {ONE}, "entries": [{TWO}, {THREE}], "{IDS[3]}": {FOUR}}}',
        f'{{"@module": "a", "@m": {ONE}, "@n": {TWO}, "entries": [{THREE}], "@o": {FOUR}}}',
        f'{{"{IDS[0]}": {ONE}, "@m": {TWO}, "{IDS[2]}": {THREE}, "@class": "b", "{IDS[3]}": {FOUR}}}',
        f'{ONE}\n{{"entries": [{TWO}, {THREE}]}}\n{{"{IDS[3]}": {FOUR}}}',
        f'{ONE}\n{{}}\n{{"version": 1, "energy": 2, "{IDS[1]}": {TWO}}}\n{THREE}\n[{FOUR}]',
        f'{{"entries": [{ONE}, {TWO}]}}\ufeff{{"entries": [{THREE}]}}\n\ufeff\n{FOUR}',
    ],
)
def test_entries_are_read_or_named_anywhere_in_an_object(tmp_path, text):
    text = text.replace('"x"', f'"{IDS[1]}"').replace('"y"', f'"{IDS[2]}"')
    found, reasons = run(tmp_path, written(tmp_path, text))
    named = {mat_id for mat_id in reasons if mat_id}
    assert set(found) | named == set(IDS)
    assert all("the entry's key is '@" in reasons[mat_id] for mat_id in named)


def test_ignored_keys_next_to_the_entries_are_named(tmp_path, capfd):
    others = '"m3": {"structure": 1}, "note": "x", "@class": "c"'
    text = f'{{"@module": "m", "m2": 3, "entries": [{ONE}], {others}}}'
    found, _ = run(tmp_path, written(tmp_path, text))
    assert found == IDS[:1]
    told = capfd.readouterr().err
    assert "ignored keys next to `entries` in " in told
    assert "e.json: 'm2', 'm3', 'note'\n" in told


def test_references_of_the_embedded_entries_are_not_named(tmp_path, capfd):
    run(tmp_path, written(tmp_path, f'{{"entries": [{ONE}], "molecular_references": [{TWO}]}}'))
    assert "ignored" not in capfd.readouterr().err


def test_repeated_keys_are_duplicates(tmp_path):
    text = ", ".join(f'"m1": {json.dumps(unnamed(item))}' for item in ENTRIES)
    found, reasons = run(tmp_path, written(tmp_path, f"{{{text}}}"))
    assert found == ["m1"]
    assert list(reasons) == ["m1"]
    assert reasons["m1"].startswith("duplicate mat_id")
    assert pq.read_metadata(tmp_path / "out" / "rejected.parquet").num_rows == 3


@pytest.mark.parametrize("stated", [{}, {"mat_id": None}])
def test_an_entry_without_an_identifier_takes_its_key(tmp_path, stated):
    items = {f"key-{i}": unnamed(item, **stated) for i, item in enumerate(ENTRIES)}
    for text in (json.dumps(items), json.dumps({"entries": items})):
        assert run(tmp_path, written(tmp_path, text))[0] == sorted(items)


def test_an_entry_whose_key_contradicts_its_identifier_is_rejected(tmp_path):
    items = {"other": ENTRIES[0], IDS[1]: ENTRIES[1]}
    for text in (json.dumps(items), json.dumps({"entries": items})):
        found, reasons = run(tmp_path, written(tmp_path, text))
        assert found == IDS[1:2]
        assert reasons == {IDS[0]: f"mat_id is '{IDS[0]}', but the entry's key is 'other'"}


def test_row_numbers_are_not_identifiers(tmp_path):
    """Pandas writes a column of entries in this form."""
    found, reasons = run(tmp_path, written(tmp_path, json.dumps({str(i): x for i, x in enumerate(ENTRIES)})))
    assert (found, reasons) == (IDS, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'{{"data": [{ONE}]}}', r"keys: 'data'\).*Rename the key 'data' to 'entries'"),
        (f'{{"meta": {{}}, "data": [{ONE}]}}', "Rename the key 'data' to 'entries'"),
        (f'{{"materials": [{ONE}]}}', "Rename the key 'materials' to 'entries'"),
    ],
)
def test_a_list_under_another_key_is_named(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path, written(tmp_path, text))


def test_the_reasons_are_reported_if_nothing_is_left(tmp_path):
    text = json.dumps([unnamed(item, mat_id="a b") for item in ENTRIES])
    with pytest.raises(UserError, match=r"left to sample(.|\n)*4 x mat_id 'a b' does not match"):
        run(tmp_path, written(tmp_path, text), limit=1.0)


def test_the_reasons_are_reported_if_nothing_is_left_for_pretraining(tmp_path):
    run(tmp_path, written(tmp_path, LINES))
    bad = written(tmp_path, json.dumps([unnamed(item, mat_id="a b") for item in ENTRIES]), "bad.json")
    outputs = [tmp_path / name for name in ("pretraining.parquet", "pretraining.json")]
    draw = {"n_materials": 9, "seed": 0, "filters": {}, "magnetization": "absolute"}
    with pytest.raises(UserError, match=r"pretrain on(.|\n)*4 x mat_id 'a b' does not match"):
        sample_pretraining.main([bad], tmp_path / "out" / "sample.parquet", *outputs, **draw)


def zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


def lzma_alone(content: bytes, **parameters: int) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 6, **parameters}]
    return lzma.compress(content, format=lzma.FORMAT_ALONE, filters=filters)


SKIPPABLE = struct.pack("<II", 0x184D2A53, 5) + b"notes"
FIRST, SECOND = LINES[: LINES.index("\n") + 1].encode(), LINES[LINES.index("\n") + 1 :].encode()
JOINED = {
    "gz": gzip.compress(FIRST) + b"\0" * 8 + gzip.compress(SECOND),
    "bz2": bz2.compress(FIRST) + bz2.compress(SECOND),
    "bz2 padded": bz2.compress(FIRST) + b"\0" * 70_000 + bz2.compress(SECOND) + b"\0",
    "xz": lzma.compress(FIRST) + lzma.compress(SECOND),
    "xz padded": lzma.compress(FIRST) + b"\0" * 4 + lzma.compress(SECOND) + b"\0" * 100_000,
    "zst": zstd(FIRST) + zstd(SECOND),
    "zst skippable first": SKIPPABLE + zstd(FIRST + SECOND),
    "zst skippable between": SKIPPABLE + SKIPPABLE + zstd(FIRST) + SKIPPABLE + zstd(SECOND) + SKIPPABLE,
    "lzma": lzma_alone(FIRST + SECOND),
    "lzma small dictionary": lzma_alone(FIRST + SECOND, dict_size=4096),
    "lzma other dictionary": lzma_alone(FIRST + SECOND, dict_size=3 << 20),
    "lzma other properties": lzma_alone(FIRST + SECOND, lc=1, lp=2, pb=0),
}


@pytest.mark.parametrize("name", JOINED)
@pytest.mark.parametrize("renamed", [False, True])
def test_all_streams_of_a_compressed_file_are_read(tmp_path, name, renamed):
    path = written(tmp_path, JOINED[name], "e.jsonl" if renamed else f"e.jsonl.{name.split()[0]}")
    assert run(tmp_path, path) == (IDS, {})


@pytest.mark.parametrize("name", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("trailing", [b"garbage", b"\0\0\0\0BZh9", b'{"entries": []}', SECOND])
def test_trailing_data_after_a_compressed_stream_are_an_error(tmp_path, name, trailing):
    compress = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}[name]
    path = written(tmp_path, compress(FIRST) + trailing, f"e.jsonl.{name}")
    with pytest.raises(UserError, match=r"e\.jsonl.*(damaged|truncated)"):
        run(tmp_path, path)


@pytest.mark.parametrize("indent", [None, 0, 1, 2, "\t"])
def test_json_is_not_taken_for_lzma(tmp_path, indent):
    for text in (json.dumps(ENTRIES, indent=indent), json.dumps({"entries": ENTRIES}, indent=indent)):
        assert run(tmp_path, written(tmp_path, text))[0] == IDS
