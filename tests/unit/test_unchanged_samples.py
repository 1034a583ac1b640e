"""Samples of Alexandria entries keep every value from version to version."""

import hashlib
import json
import re

import pyarrow.parquet as pq
import pytest
from handmade import entries, write_entries
from project import PROJECT

import sample as script

# Digests of the rows of sample and rejects, computed before other sources could be read.
EXPECTED = {
    ("embedded", "all"): "26b491e292a6f37d",
    ("embedded", 40): "0d5944263ccf8dbc",
    ("handmade", "all"): "1771834db2e7dc03",
    ("handmade", 5): "fe208bd9dd71b3b1",
}


# What reasons have said in addition since then: where the kept material is, and what to do.
ADVICE = re.compile(r"(?<=^duplicate mat_id): .* is kept; .*|(?<=\}\$): use 1 to 64 of .*")


def flawed_entries():
    """Return entries of which some are invalid, repeated or disordered."""
    items = entries()
    items[3]["data"]["mat_id"] = "a b"
    del items[4]["structure"]["lattice"]
    items[5]["data"]["band_gap_ind"] = None
    items[6]["structure"]["sites"][0]["species"] = [
        {"element": "Al", "occu": 0.5},
        {"element": "Ga", "occu": 0.5},
    ]
    for key in ("formula", "elements"):
        del items[6]["data"][key]
    items.append(items[0])
    return items


@pytest.mark.parametrize(("source", "n"), EXPECTED)
def test_rows_are_unchanged(tmp_path, monkeypatch, source, n):
    monkeypatch.chdir(tmp_path)
    path = PROJECT / "embedded" / "entries.json.bz2"
    if source == "handmade":
        path = write_entries(tmp_path / "e.json", flawed_entries())
    outputs = [tmp_path / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    filters = {"elements_excluded": ["Hg"], "sites_max": 40, "e_hull_max": 0.5}
    settings = {"n_materials": n, "seed": 3, "filters": filters, "magnetization": "signed"}
    script.main([path], *outputs, **settings, max_rejected_fraction=1.0)
    rows = [pq.read_table(output).drop_columns("source_file").to_pylist() for output in outputs[:2]]
    for reject in rows[1]:
        reject["reason"] = ADVICE.sub("", reject["reason"])
    counts = json.loads(outputs[2].read_text())
    text = json.dumps([rows, counts], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == EXPECTED[source, n]
