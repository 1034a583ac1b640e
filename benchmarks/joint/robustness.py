"""Experiment: facets missing in training or test, noise on a facet, and a facet of another row."""

import numpy as np
import torch
from benchmarks.joint.conditions import hidden_facets, predicted_from_the_rest, swapped, with_noise
from benchmarks.joint.dedicated import DEDICATED, UNIVERSAL, dedicated, named, subsets_of
from benchmarks.joint.fusions import AVERAGE, DEFAULT, blended, variant
from benchmarks.joint.materials import Materials
from benchmarks.joint.missing import COMPLETE_ROWS, half_hidden
from benchmarks.joint.networks import Array, Network, Networks, Predictions
from benchmarks.joint.results import Rows, errors, errors_of_subsets, quantities

from polyfacet.networks.threads import one_thread
from polyfacet.splits.parts import TEST
from polyfacet.training.engines.joint.inputs import read_rows
from polyfacet.training.engines.joint.tokens import Tokens

HIDDEN_IN_TRAINING, HIDDEN_IN_TEST, NOISE, SWAPPED = (
    "hidden in training",
    "hidden in test",
    "noise",
    "swapped",
)
TRAINING_SHARES = (0.1, 0.3, 0.5, 0.7)
# With four facets, 0.75 leaves every row a single one.
TEST_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75)
SIGMAS = (0.1, 0.3, 1.0)
HIDING_OF_TEST = 2
IN_TEST = (DEFAULT, "all_facets_always", "concatenation", "transformer", "gated", "experts")
DISTURBED = (
    DEFAULT,
    "all_facets_always",
    "no_noise",
    "concatenation",
    "transformer",
    "gated",
    "gated_softmax",
    "experts",
)


def measure_robustness(materials: Materials, networks: Networks) -> Rows:
    """Measure how errors grow with what is missing or wrong, and whether the shares of facets follow."""
    rows = [*_hidden_in_training(materials, networks), *_hidden_in_test(materials, networks)]
    for name in DISTURBED:
        rows += _disturbed(materials, name, variant(networks, materials, name))
    return rows


def _hidden_in_training(materials: Materials, networks: Networks) -> Rows:
    rows: Rows = []
    for share in TRAINING_SHARES:
        hidden = half_hidden(materials, share)
        for name, missing in ((UNIVERSAL, True), (COMPLETE_ROWS, False)):
            network = networks.train(hidden, missing=missing)
            condition = f"{HIDDEN_IN_TRAINING} {share:g}"
            rows += quantities(name, [("n_train", network.n_train if network else 0)], condition=condition)
            if network:
                found = network.predict_subsets(materials.part(TEST))
                rows += errors_of_subsets(materials, name, found, condition)
    return rows


def _hidden_in_test(materials: Materials, networks: Networks) -> Rows:
    test, facets = materials.part(TEST), materials.facets
    predictions: dict[str, Predictions] = {
        name: variant(networks, materials, name).predict_subsets(test) for name in IN_TEST
    }
    predictions[DEDICATED] = {
        named(subset): dedicated(networks, materials, subset).predict(test, subset)
        for subset in subsets_of(facets)
    }
    singles = [dedicated(networks, materials, [facet]) for facet in facets]
    predictions[AVERAGE] = blended(materials, singles, fitted=False)
    random = materials.random(HIDING_OF_TEST)
    rows: Rows = []
    for share in TEST_SHARES:
        hidden = hidden_facets(len(test), len(facets), share, random)
        for name, found in predictions.items():
            answers = predicted_from_the_rest(found, [facet.name for facet in facets], hidden)
            rows += errors(materials, name, "", answers, f"{HIDDEN_IN_TEST} {share:g}")
    return rows


def _disturbed(materials: Materials, name: str, network: Network) -> Rows:
    """Disturb one facet at a time; without it is the control."""
    rows: Rows = []
    with one_thread(), torch.inference_mode():
        tokens = tokens_of(network, materials)
        cases = {("", ""): tokens}
        for number, facet in enumerate(materials.facets):
            kept = torch.ones(len(materials.facets), dtype=torch.bool)
            kept[number] = False
            cases[facet.name, "left out"] = tokens.of_subset(kept)
            cases[facet.name, SWAPPED] = swapped(tokens, number, materials.seed)
            for sigma in SIGMAS:
                cases[facet.name, f"{NOISE} {sigma:g}"] = with_noise(tokens, number, sigma, materials.seed)
        for (facet_name, condition), each in cases.items():
            found = errors(materials, name, "", answers_of(network, each), condition)
            rows += [{**row, "facet": facet_name} for row in found]
            rows += _shares(materials, name, network, each, f"{condition} {facet_name}".strip())
    return rows


def tokens_of(network: Network, materials: Materials, part: str = TEST) -> Tokens:
    """Return the tokens of the rows of a part."""
    return network.foundation.network.tokens(
        read_rows(materials.part(part), network.foundation.readers, materials.facets)
    )


def answers_of(network: Network, tokens: Tokens) -> Array:
    """Predict from tokens."""
    return network.numbers(network.foundation.network.predict(tokens))


def _shares(materials: Materials, name: str, network: Network, tokens: Tokens, condition: str) -> Rows:
    """Return the mean share of each facet, where the fusion has shares."""
    shares = network.foundation.network.fusion.weights(tokens)
    if shares is None:
        return []
    means = np.asarray(shares.double().mean(dim=0))
    return [
        row
        for facet, mean in zip(materials.facets, means, strict=True)
        for row in quantities(name, [("share", float(mean))], condition=condition, facet=facet.name)
    ]
