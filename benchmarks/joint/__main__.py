"""Run the experiments on the joint network, repeat by repeat, and keep their results as a document.

Each finished experiment of a repeat is added to a small table in FOLDER, from which a page with figures is
written. What is in these tables is not computed again: commit the folder, and any machine continues from
there. Networks are kept in results/joint/networks, so that a stopped experiment continues on the same
machine. Remove both folders after a change of the engine.

    python -m benchmarks.joint --repeats 5 --cores 2
"""

import argparse
from pathlib import Path

from benchmarks.joint.experiments import EXPERIMENTS, MODELS, run_experiment
from benchmarks.joint.materials import read_materials
from benchmarks.joint.networks import Networks
from benchmarks.joint.page import write_page
from benchmarks.joint.results import Results

from polyfacet.runtime.progress import tell

N_REPEATS = 5
# Of the engine: see config/studies/joint.yaml.
SETTINGS = {"pictures": "encoding"}
FOLDER, NETWORKS = Path("docs/results/joint"), Path("results/joint/networks")


def main() -> None:
    """Run what is missing, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=N_REPEATS, help="stop after the first N repeats")
    parser.add_argument("--experiments", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--cores", type=int, default=1, help="cores for the stages of the workflow")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results are kept")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    options = parser.parse_args()
    results = Results(options.folder)
    for repeat in range(0 if options.page else options.repeats):
        run_repeat(results, repeat, options.experiments, options.cores)
    tell(str(write_page(results, N_REPEATS)))


def run_repeat(results: Results, repeat: int, experiments: list[str], cores: int) -> None:
    """Run the experiments of a repeat that are not finished."""
    missing = [name for name in experiments if repeat not in results.finished(name, MODELS.get(name, ()))]
    if not missing:
        return
    materials, networks = read_materials(repeat, cores), Networks(SETTINGS, NETWORKS)
    for name in missing:
        tell(f"repeat {repeat}: {name}")
        results.add(name, repeat, run_experiment(name, materials, networks))
        write_page(results, N_REPEATS)


if __name__ == "__main__":
    main()
