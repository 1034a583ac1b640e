"""Run the experiments on contrastive pretraining, repeat by repeat, and keep their results as a document.

Each finished experiment of a repeat is added to a small table in FOLDER, from which a page is written. What
is in these tables is not computed again: commit the folder, and any machine continues from there. Networks
are kept in results/contrast/networks. Remove both folders after a change of the engine.

    python -m benchmarks.contrast --repeats 3 --cores 2
"""

import argparse
from pathlib import Path

from benchmarks.contrast.grounds import GROUNDS
from benchmarks.contrast.labels import compare_with_few_labels
from benchmarks.contrast.page import write_page
from benchmarks.contrast.probes import probe_compositions
from benchmarks.contrast.tables import LABELS, PROBES, SPACE, TOWERS, kept_as
from benchmarks.contrast.towers import compare_towers, measure_space
from benchmarks.joint.comparing import N_TEST, N_TRAIN_PART
from benchmarks.joint.materials import read_materials
from benchmarks.joint.networks import Networks
from benchmarks.joint.results import Results, quantities

from polyfacet.runtime.progress import tell
from polyfacet.splits.parts import TEST

N_REPEATS = 3
EXPERIMENTS = {
    LABELS: compare_with_few_labels,
    TOWERS: compare_towers,
    SPACE: measure_space,
    PROBES: probe_compositions,
}
FOLDER, NETWORKS = Path("docs/results/contrast"), Path("results/contrast/networks")


def main() -> None:
    """Run what is missing, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=N_REPEATS, help="stop after the first N repeats")
    parser.add_argument(
        "--grounds", nargs="+", choices=GROUNDS, default=list(GROUNDS), help="data to compare on"
    )
    parser.add_argument("--cores", type=int, default=1, help="cores for the stages of the workflow")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results are kept")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    options = parser.parse_args()
    results = Results(options.folder)
    for repeat in range(0 if options.page else options.repeats):
        for name in options.grounds:
            run_repeat(results, name, repeat, options.cores)
            write_page(results, options.folder, N_REPEATS)
    tell(str(write_page(results, options.folder, N_REPEATS)))


def run_repeat(results: Results, name: str, repeat: int, cores: int) -> None:
    """Run the experiments of a repeat on a ground that are not finished."""
    ground = GROUNDS[name]
    missing = {
        kept: run
        for kept, run in EXPERIMENTS.items()
        if (ground.is_probed or run is not probe_compositions)
        and repeat not in results.finished(kept_as(name, kept))
    }
    if not missing:
        return
    materials = read_materials(repeat, cores, ground.study)
    networks = Networks({}, NETWORKS)
    sizes = [(N_TRAIN_PART, materials.n_train), (N_TEST, len(materials.part(TEST)))]
    for kept, run in missing.items():
        tell(f"{name}, repeat {repeat}: {kept}")
        rows = run(ground, materials, networks)
        results.add(kept_as(name, kept), repeat, rows + quantities("", sizes))


if __name__ == "__main__":
    main()
