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
RUN_AND_TELL_PEAK = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def write_large_file(path: Path) -> None:
    """Write entries of ten copies of a cell each, about 4 kB, without holding them in memory."""
    template = json.dumps(entry("MAT_ID", rock_salt("Na", "Cl", 5.64) * (5, 2, 1)))
    with gzip.open(path, "wt", compresslevel=1) as stream:
        stream.write('{"entries": [')
        for i in range(N_ENTRIES):
            stream.write(("," if i else "") + template.replace("MAT_ID", f"big{i:06d}"))
        stream.write("]}")


def peak_memory_mb(script: Path, arguments: list[str]) -> float:
    """Run a script and return its own peak resident memory, without that of the tests it is started by."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_AND_TELL_PEAK, script, *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-2]) / 1024


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
    peak = peak_memory_mb(script, [f"--{name}={value}" for name, value in arguments.items()])
    assert json.loads((tmp_path / "summary.json").read_text())["read"] == N_ENTRIES
    assert len(pd.read_parquet(tmp_path / "sample.parquet")) == 1000
    assert peak < LIMIT_MB, peak
