"""Experiment: all fusions, with and without what makes them robust."""

from typing import Any

import numpy as np
from benchmarks.joint.dedicated import dedicated
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Network, Networks, Predictions
from benchmarks.joint.results import Rows, errors, errors_of_subsets, quantities

from polyfacet.splits.parts import TEST, TRAIN, VALID
from polyfacet.training.engines.blend.weights import blend_weights

DEFAULT = "mean"
FUSIONS: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "transformer": {"fusion": "transformer"},
    "bottleneck": {"fusion": "bottleneck"},
    "cross_attention": {"fusion": "cross_attention", "vector_tokens": 4},
    "gated_cross_attention": {"fusion": "gated_cross_attention", "vector_tokens": 4},
    "concatenation": {"fusion": "concatenation"},
    "gated": {"fusion": "gated"},
    "gated_softmax": {"fusion": "gated_softmax"},
    "gated_vector": {"fusion": "gated_vector"},
    "gated_with_entropy": {"fusion": "gated", "gate_entropy": 0.03},
    "experts": {"fusion": "experts"},
    "constant_experts": {"fusion": "constant_experts"},
    "film_joint": {"film": "joint"},
    "film_last": {"film": "last"},
}
# The default fusion, without what all others have.
ABLATIONS: dict[str, dict[str, Any]] = {
    "all_facets_always": {"subsets": "none"},
    "independent_drawing": {"subsets": "independent"},
    "progressive_drawing": {"subsets": "progressive"},
    "no_noise": {"noise": 0.0},
}
# Controls of the fusions that read vectors as four tokens.
FOUR_TOKENS: dict[str, dict[str, Any]] = {
    "mean_of_four_tokens": {"vector_tokens": 4},
    "transformer_of_four_tokens": {"fusion": "transformer", "vector_tokens": 4},
}
VARIANTS = {**FUSIONS, **FOUR_TOKENS, **ABLATIONS}
STACKING, AVERAGE, MEDIAN = "late_stacking", "late_average", "median"


def variant(networks: Networks, materials: Materials, name: str) -> Network:
    """Train a variant on all training rows, which can be learned from."""
    network = networks.train(materials, **VARIANTS[name])
    if network is None:
        raise RuntimeError(f"{name} could not be trained")
    return network


def compare_fusions(materials: Materials, networks: Networks) -> Rows:
    """Train all variants, and compare the errors from all subsets of the facets, and the costs."""
    rows = [*_errors_of_median(materials)]
    for name in VARIANTS:
        network = variant(networks, materials, name)
        rows += errors_of_subsets(materials, name, network.predict_subsets(materials.part(TEST)))
        rows += costs(name, network)
    singles = [dedicated(networks, materials, [facet]) for facet in materials.facets]
    for name, fitted in ((STACKING, True), (AVERAGE, False)):
        rows += errors_of_subsets(materials, name, blended(materials, singles, fitted=fitted))
        total = sum(each.core_seconds for each in singles)
        n_weights = sum(each.n_weights for each in singles)
        seconds = total / singles[0].n_epochs
        rows += quantities(
            name, [("weights", n_weights), ("core_seconds", total), ("seconds_per_epoch", seconds)]
        )
    return rows


def costs(name: str, network: Network, **keys: str) -> Rows:
    """Return what a network costs."""
    found = [
        ("weights", network.n_weights),
        ("core_seconds", network.core_seconds),
        ("seconds_per_epoch", network.core_seconds / network.n_epochs),
        ("epoch", sum(part["epoch"] for part in network.foundation.record["parts"].values())),
        ("n_train", network.n_train),
    ]
    return quantities(name, found, **keys)


def blended(materials: Materials, singles: list[Network], *, fitted: bool) -> Predictions:
    """Average networks of one facet each, with weights that are fitted on validation rows, or equal ones."""
    of_valid, of_test = (
        np.stack([each.predict(materials.part(part), each.facets) for each in singles])
        for part in (VALID, TEST)
    )
    truth = materials.truth(VALID)
    found = {}
    for number in range(1, 2 ** len(singles)):
        members = [place for place in range(len(singles)) if number >> place & 1]
        answers = np.empty(of_test.shape[1:])
        for column in range(len(materials.objectives)):
            known = np.isfinite(truth[:, column])
            outputs = of_valid[members][:, known, column, None]
            weights = blend_weights(outputs, truth[known, column, None], fitted=fitted)
            answers[:, column] = np.tensordot(weights, of_test[members][:, :, column], axes=1)
        found["+".join(singles[place].facets[0].name for place in members)] = answers
    return found


def _errors_of_median(materials: Materials) -> Rows:
    median = np.nanmedian(materials.truth(TRAIN), axis=0)
    predicted = np.tile(median, (len(materials.part(TEST)), 1))
    return errors(materials, MEDIAN, "", predicted)
