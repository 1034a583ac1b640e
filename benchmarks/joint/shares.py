"""Experiment: the shares that fusions give to facets, against what the facets contribute."""

import numpy as np
import torch
from benchmarks.joint.dedicated import named, subsets_of
from benchmarks.joint.fusions import variant
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Array, Network, Networks, Predictions
from benchmarks.joint.results import Rows, errors_of_subsets, quantities
from benchmarks.joint.robustness import tokens_of
from scipy.stats import spearmanr

from polyfacet.evaluation.shapley import interactions, shapley_values
from polyfacet.networks.threads import one_thread
from polyfacet.splits.parts import TEST, TRAIN
from polyfacet.training.engines.joint.fusion.pooled import Gated
from polyfacet.training.engines.joint.outputs import Outputs

WITH_SHARES = ("transformer", "bottleneck", "gated", "gated_softmax", "experts", "constant_experts")
MEAN_GATES = "mean gates"


def compare_shares(materials: Materials, networks: Networks) -> Rows:
    """Compare shares with exact Shapley values, per objective and per material."""
    rows: Rows = []
    for name in WITH_SHARES:
        network = variant(networks, materials, name)
        predictions = network.predict_subsets(materials.part(TEST))
        rows += errors_of_subsets(materials, name, predictions)
        rows += _compared(materials, name, network, worth_of_subsets(materials, predictions))
        if isinstance(network.foundation.network.fusion, Gated):
            rows += errors_of_subsets(materials, name, _with_mean_gates(materials, network), MEAN_GATES)
    return rows


def worth_of_subsets(materials: Materials, predictions: Predictions) -> Array:
    """Return by how much each subset of facets reduces the absolute error of each row.

    Returns
    -------
    numpy.ndarray
        Relative to the error of the training median, in mean absolute deviations of the objective over the
        test rows, shape ``(rows, objectives, subsets)``, numbered as `polyfacet.evaluation.shapley` does;
        NaN where the true value is unknown.
    """
    truth = materials.truth(TEST)
    median = np.nanmedian(materials.truth(TRAIN), axis=0)
    deviation = np.nanmean(np.abs(truth - np.nanmean(truth, axis=0)), axis=0)
    worth = np.zeros((*truth.shape, 2 ** len(materials.facets)))
    for subset in subsets_of(materials.facets):
        number = sum(1 << place for place, facet in enumerate(materials.facets) if facet in subset)
        gain = np.abs(truth - median) - np.abs(truth - predictions[named(subset)])
        worth[..., number] = gain / deviation
    return worth


def _compared(materials: Materials, name: str, network: Network, worth: Array) -> Rows:
    facets = [facet.name for facet in materials.facets]
    shares = network.foundation.facet_weights(materials.part(TEST), materials.facets)
    if shares is None:
        raise RuntimeError(f"{name} has no shares")
    of_rows = shapley_values(worth)
    mean_share, of_objectives = shares.mean(axis=0), np.nanmean(of_rows, axis=0)
    rows: Rows = []
    for number, objective in enumerate(materials.objectives):
        for place, facet in enumerate(facets):
            found = [("shapley", of_objectives[number, place])]
            rows += quantities(name, found, facet=facet, objective=objective.column)
        rho = rank_correlation(mean_share, of_objectives[number])
        rows += quantities(name, [("rank_correlation", rho)], objective=objective.column)
    of_materials = np.nanmean(of_rows, axis=1)
    for place, facet in enumerate(facets):
        found = [
            ("share", mean_share[place]),
            ("share_std", shares[:, place].std()),
            ("rank_correlation_over_materials", rank_correlation(shares[:, place], of_materials[:, place])),
        ]
        rows += quantities(name, found, facet=facet)
    rows += quantities(
        name,
        [
            ("rank_correlation_in_materials", _mean_correlation(shares, of_materials)),
            (
                "rank_correlation_of_mean_share",
                _mean_correlation(np.tile(mean_share, (len(shares), 1)), of_materials),
            ),
        ],
    )
    # They are linear in the worth, so that the mean may come first.
    pairs = interactions(np.nanmean(worth, axis=(0, 1)))
    for first in range(len(facets)):
        for second in range(first):
            pair = f"{facets[second]}+{facets[first]}"
            rows += quantities(name, [("interaction", pairs[first, second])], subset=pair)
    return rows


def rank_correlation(first: Array, second: Array) -> float:
    """Return Spearman's rank correlation; NaN if either is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first, second).statistic)


def _mean_correlation(shares: Array, contributions: Array) -> float:
    """Return the mean over rows of the rank correlation over facets."""
    return float(np.nanmean([rank_correlation(*pair) for pair in zip(shares, contributions, strict=True)]))


def _with_mean_gates(materials: Materials, network: Network) -> Predictions:
    """Predict with gates replaced by their mean over training rows that show the same facets."""
    joint = network.foundation.network
    found = {}
    with one_thread(), torch.inference_mode():
        of_train, of_test = (tokens_of(network, materials, part) for part in (TRAIN, TEST))
        for subset in subsets_of(materials.facets):
            kept = torch.tensor([facet in subset for facet in materials.facets])
            gates = joint.fusion.weights(of_train.of_subset(kept)).mean(dim=0)
            vectors = joint.fusion.maps(of_test.of_subset(kept).pooled())
            representation = joint.trunk(torch.einsum("f,bfd->bd", gates, vectors))
            outputs = Outputs(joint.of_numbers(representation), [], representation, None)
            found[named(subset)] = network.numbers(outputs)
    return found
