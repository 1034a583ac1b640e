"""Time `polyfacet predict` on structure files: after start-up, and against the picture stage.

Start-up is the time for a few materials; what many take beyond it is the cost of predicting.  For a bundle
with pictures, the picture stage draws the same files in the same run.

Usage: python benchmarks/predicting.py BUNDLE --entries FILE_OR_FOLDER ... [--n 1000] [--threads 2]
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import scripts_path  # noqa: F401
from process_family import seconds_by_process

import sample
import write_structures
from polyfacet.facets.registry import IMAGE
from polyfacet.runtime.files import link_file
from polyfacet.training.bundles.description import BundleDescription, read_description

FEW = 4
# Time between two looks at the processes.
INTERVAL_S = 0.1
# Wall time, and processor time of all processes, s.
Times = tuple[float, float]
PREDICT = "from polyfacet.use.command import main; main()"
DRAW = """
import sys
from pathlib import Path
import render_images
from polyfacet.training.bundles.description import read_description
bundle, structures, materials, home, threads = sys.argv[1:]
read = read_description(Path(bundle))
outputs = [Path(home, name) for name in ("images", "images.parquet", "rejected.parquet")]
render_images.main(
    Path(structures),
    Path(materials),
    *outputs,
    provenance=Path(home, "images.json"),
    **read.settings.images.model_dump(),
    max_sites=read.settings.max_sites.images,
    max_rejected_fraction=1.0,
    threads=int(threads),
)
"""


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--entries", type=Path, nargs="+", required=True)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    described = read_description(asked.bundle)
    with TemporaryDirectory() as name:
        home = Path(name)
        n = write_cifs(asked.entries, asked.n, home)
        few = times_of_predicting(asked.bundle, home / "few", home, asked.threads)
        every = times_of_predicting(asked.bundle, home / "all", home, asked.threads)
        print(f"{described.cell.combination}, {n} materials, {asked.threads} threads; after start-up:")
        tell("predict", n, few, every)
        if draws(described):
            few_drawn = times_of_drawing(asked.bundle, home, FEW, asked.threads)
            all_drawn = times_of_drawing(asked.bundle, home, n, asked.threads)
            tell("picture stage", n, few_drawn, all_drawn)
            wall, cpu = ((all_drawn[i] - few_drawn[i]) / (every[i] - few[i]) for i in (0, 1))
            print(f"throughput of predict / picture stage: {wall:.2f}, by processor time {cpu:.2f}")


def tell(what: str, n: int, few: Times, every: Times) -> None:
    """Print what many materials take beyond a few."""
    wall, cpu = (many - start for many, start in zip(every, few, strict=True))
    print(
        f"{what:14} start-up {few[0]:5.1f} s, then {wall:6.1f} s, {n / wall:5.1f} materials/s, "
        f"{cpu:6.1f} cpu s"
    )


def draws(bundle: BundleDescription) -> bool:
    """Return whether a bundle needs pictures of structures."""
    return any(facet.name == IMAGE.name for facet in bundle.facets)


def write_cifs(entries: list[Path], n: int, home: Path) -> int:
    """Write the CIFs of sampled entries to ``all``, and a few of them to ``few``; return their number."""
    outputs = [home / name for name in ("sample.parquet", "sample.rejected", "sample.json")]
    sample.main(
        entries,
        *outputs,
        n_materials=n,
        seed=0,
        filters={},
        magnetization="absolute",
        max_rejected_fraction=1.0,
    )
    write_structures.main(
        outputs[0],
        home / "all",
        home / "all.parquet",
        home / "all.rejected",
        provenance=home / "all.json",
        shard=0,
        n_shards=1,
        max_rejected_fraction=1.0,
    )
    files = sorted((home / "all").iterdir())
    (home / "few").mkdir()
    for path in files[:FEW]:
        link_file(path, home / "few" / path.name)
    return len(files)


def times_of_predicting(bundle: Path, structures: Path, home: Path, threads: int) -> Times:
    """Run the command on a folder."""
    output = home / f"{structures.name}.csv"
    arguments = ["predict", str(bundle), str(structures), "--output", str(output), "--threads", str(threads)]
    return times_of([sys.executable, "-c", PREDICT, *arguments])


def times_of_drawing(bundle: Path, home: Path, n: int, threads: int) -> Times:
    """Run the picture stage on the first materials."""
    table = home / f"first-{n}.parquet"
    rows = pq.read_table(home / "all.parquet")
    pq.write_table(rows.slice(0, n), table)
    folder = home / f"drawn-{n}"
    folder.mkdir()
    code = f"import sys; sys.path[:0] = {sys.path!r}\n{DRAW}"
    return times_of(
        [sys.executable, "-c", code, str(bundle), str(home / "all"), str(table), str(folder), str(threads)]
    )


def times_of(command: list[str]) -> Times:
    """Run a command; browsers are killed in the end, so that their time is known only while they live."""
    start = time.monotonic()
    seconds: dict[int, float] = {}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:  # noqa: S603 - this Python
        while running.poll() is None:
            seconds |= seconds_by_process()
            time.sleep(INTERVAL_S)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    return time.monotonic() - start, sum(seconds.values())


if __name__ == "__main__":
    main()
