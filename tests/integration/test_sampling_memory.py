"""Sampling all of very many entries: memory stays flat."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from handmade import entry, rock_salt
from project import PROJECT

N_ENTRIES = 100_000
N_FILES = 2
# Measured: 467 with 20,000 entries, 567 to 606 with 100,000.  Their JSON alone is 400 MB of text.
LIMIT_MB = 750
# In kB.  The processes that read the files end before the sample is written, and their memory includes what
# they share with the script.  What `getrusage` says of the script itself includes the tests that started it.
RUN_AND_TELL_PEAK = f"""
import resource, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
largest_reader = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(max(own, {N_FILES} * largest_reader))
"""


def write_large_file(path: Path, numbers: range) -> None:
    """Write entries of ten copies of a cell each, about 4 kB, without holding them in memory."""
    template = json.dumps(entry("MAT_ID", rock_salt("Na", "Cl", 5.64) * (5, 2, 1)))
    with gzip.open(path, "wt", compresslevel=1) as stream:
        stream.write('{"entries": [')
        for i, number in enumerate(numbers):
            stream.write((", " if i else "") + template.replace("MAT_ID", f"big{number:06d}"))
        stream.write("]}")


def peak_memory_mb(script: Path, arguments: list[str]) -> float:
    """Run a script and return the peak resident memory of its processes."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_AND_TELL_PEAK, script, *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1]) / 1024


def test_sampling_all_of_a_hundred_thousand_entries_takes_little_memory(tmp_path):
    (tmp_path / "entries").mkdir()
    for i in range(N_FILES):
        write_large_file(tmp_path / "entries" / f"{i}.json.gz", range(i, N_ENTRIES, N_FILES))
    arguments = {
        "sources": f'["{tmp_path}/entries"]',
        "sample": tmp_path / "sample.parquet",
        "rejected": tmp_path / "rejected.parquet",
        "summary": tmp_path / "summary.json",
        "n_materials": "all",
        "seed": "1",
        "filters": "{}",
        "magnetization": "absolute",
        "max_rejected_fraction": "0",
        "threads": N_FILES,
    }
    script = PROJECT / "workflow" / "scripts" / "sample.py"
    peak = peak_memory_mb(script, [f"--{name}={value}" for name, value in arguments.items()])
    assert pq.read_metadata(tmp_path / "sample.parquet").num_rows == N_ENTRIES
    assert peak < LIMIT_MB, peak
