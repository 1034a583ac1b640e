"""Sampling a large file: memory stays flat."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
from handmade import entry, rock_salt
from project import PROJECT

N_ENTRIES = 100_000
LIMIT_MB = 600


def write_large_file(path: Path) -> None:
    """Write entries of ten copies of a cell each, about 4 kB, without holding them in memory."""
    template = json.dumps(entry("MAT_ID", rock_salt("Na", "Cl", 5.64) * (5, 2, 1)))
    with gzip.open(path, "wt", compresslevel=1) as stream:
        stream.write('{"entries": [')
        for i in range(N_ENTRIES):
            stream.write(("," if i else "") + template.replace("MAT_ID", f"big{i:06d}"))
        stream.write("]}")


def peak_memory_mb(command: list[str]) -> float:
    """Run a command and return its peak resident memory."""
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024


def test_a_hundred_thousand_entries_take_little_memory(tmp_path):
    write_large_file(tmp_path / "large.json.gz")
    arguments = {
        "sources": f'["{tmp_path}/large.json.gz"]',
        "sample": "sample.parquet",
        "rejected": "rejected.parquet",
        "summary": "summary.json",
        "n_materials": "1000",
        "seed": "1",
        "filters": "{}",
        "magnetization": "absolute",
        "max_rejected_fraction": "0",
    }
    for name in ("sample", "rejected", "summary"):
        arguments[name] = str(tmp_path / arguments[name])
    script = PROJECT / "workflow" / "scripts" / "sample.py"
    peak = peak_memory_mb([sys.executable, str(script), *(f"--{k}={v}" for k, v in arguments.items())])
    assert json.loads((tmp_path / "summary.json").read_text())["read"] == N_ENTRIES
    assert len(pd.read_parquet(tmp_path / "sample.parquet")) == 1000
    assert peak < LIMIT_MB, peak
