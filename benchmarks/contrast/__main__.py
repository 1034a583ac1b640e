"""Run the experiments on contrastive pretraining, repeat by repeat, and keep their results as a document.

Each finished experiment of a repeat is added to a small table in FOLDER, from which a page is written. What
is in these tables is not computed again: commit the folder, and any machine continues from there. Networks
are kept in results/contrast/networks. Remove both folders after a change of the engine.

    python -m benchmarks.contrast --repeats 3 --cores 2
"""

import argparse
from pathlib import Path

from benchmarks.contrast.labels import compare_with_few_labels
from benchmarks.contrast.page import write_page
from benchmarks.joint.comparing import N_TEST, N_TRAIN_PART
from benchmarks.joint.materials import Study, read_materials
from benchmarks.joint.networks import Networks
from benchmarks.joint.results import Results, quantities

from polyfacet.facets.registry import COMPIMAGE, GRAPH, TEXT
from polyfacet.runtime.progress import tell
from polyfacet.splits.parts import TEST

N_REPEATS = 3
STUDY = Study("contrast", (TEXT, GRAPH, COMPIMAGE))
FOLDER, NETWORKS = Path("docs/results/contrast"), Path("results/contrast/networks")
LABELS = "labels"


def main() -> None:
    """Run what is missing, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=N_REPEATS, help="stop after the first N repeats")
    parser.add_argument("--cores", type=int, default=1, help="cores for the stages of the workflow")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results are kept")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    options = parser.parse_args()
    results = Results(options.folder)
    for repeat in range(0 if options.page else options.repeats):
        if repeat not in results.finished(LABELS):
            materials = read_materials(repeat, options.cores, STUDY)
            sizes = [(N_TRAIN_PART, materials.n_train), (N_TEST, len(materials.part(TEST)))]
            rows = compare_with_few_labels(materials, Networks({}, NETWORKS))
            results.add(LABELS, repeat, rows + quantities("", sizes))
    tell(str(write_page(results[LABELS], options.folder, N_REPEATS)))


if __name__ == "__main__":
    main()
