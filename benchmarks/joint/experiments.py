"""The experiments, in the order in which they run."""

from collections.abc import Callable

from benchmarks.joint.comparing import N_TEST, N_TRAIN_PART
from benchmarks.joint.dedicated import compare_with_dedicated
from benchmarks.joint.fusions import VARIANTS, compare_fusions
from benchmarks.joint.materials import Materials
from benchmarks.joint.missing import compare_with_hidden_facets
from benchmarks.joint.networks import Networks
from benchmarks.joint.results import Rows, quantities
from benchmarks.joint.robustness import measure_robustness
from benchmarks.joint.shares import compare_shares

from polyfacet.splits.parts import TEST

EXPERIMENTS: dict[str, Callable[[Materials, Networks], Rows]] = {
    "dedicated": compare_with_dedicated,
    "missing": compare_with_hidden_facets,
    "fusions": compare_fusions,
    "shares": compare_shares,
    "robustness": measure_robustness,
}
# Models without which a repeat of an experiment is not finished, as some were added later.
MODELS: dict[str, tuple[str, ...]] = {"fusions": tuple(VARIANTS)}


def run_experiment(name: str, materials: Materials, networks: Networks) -> Rows:
    """Run an experiment; its results tell the numbers of rows, too."""
    sizes = [(N_TRAIN_PART, materials.n_train), (N_TEST, len(materials.part(TEST)))]
    return EXPERIMENTS[name](materials, networks) + quantities("", sizes)
