"""Experiment: one network for all subsets of the facets, against a network for each subset."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Array, Network, Networks, Predictions
from benchmarks.joint.results import Rows, errors, errors_of_subsets, quantities

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import TEXT
from polyfacet.splits.parts import TEST, TRAIN
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create

UNIVERSAL, DEDICATED, FLOOR = "universal", "dedicated", "floor"
# What often wins over networks for 1,000 materials, with the settings of config/studies/one_dimensional.yaml.
CLASSICAL: dict[str, dict[str, Any]] = {
    "ridge": {"model": "ridge", "hyperparameters": {"alpha": 100.0}},
    "extra_trees": {
        "model": "extra_trees",
        "statistic": "median",
        "hyperparameters": {"n_estimators": 60, "max_features": 0.3},
    },
}


def subsets_of(facets: Sequence[Facet]) -> Iterator[tuple[Facet, ...]]:
    """Yield all subsets but the empty one, smallest first."""
    for size in range(1, len(facets) + 1):
        yield from combinations(facets, size)


def named(subset: Sequence[Facet]) -> str:
    """Return the name of a subset in tables of results."""
    return "+".join(facet.name for facet in subset)


def dedicated(networks: Networks, materials: Materials, subset: Sequence[Facet]) -> Network:
    """Train a network of some facets, which always sees all of them."""
    network = networks.train(materials, subset, subsets="none")
    if network is None:
        raise RuntimeError(f"no network of {named(subset)} could be trained")
    return network


def compare_with_dedicated(materials: Materials, networks: Networks) -> Rows:
    """Compare the errors and training times of one network and of one for each subset."""
    universal = networks.train(materials)
    if universal is None:
        raise RuntimeError("the network of all subsets could not be trained")
    test = materials.part(TEST)
    rows = errors_of_subsets(materials, UNIVERSAL, universal.predict_subsets(test))
    rows += quantities(UNIVERSAL, [("core_seconds", universal.core_seconds)])
    for subset in subsets_of(materials.facets):
        network = dedicated(networks, materials, subset)
        rows += errors(materials, DEDICATED, named(subset), network.predict(test, subset))
        rows += quantities(DEDICATED, [("core_seconds", network.core_seconds)], subset=named(subset))
    for name in CLASSICAL:
        rows += errors_of_subsets(materials, name, predictions_of_classical(materials, name))
    return rows + errors(materials, FLOOR, "", _formula_medians(materials))


def _formula_medians(materials: Materials) -> Array:
    """Return the best answer that is the same for all test rows of a formula, which no model knows."""
    test = materials.part(TEST)
    columns = [each.column for each in materials.objectives]
    return test.groupby(TEXT.name)[columns].transform("median").to_numpy(np.float64)


def predictions_of_classical(materials: Materials, name: str) -> Predictions:
    """Predict from each subset by a model of each objective on the numbers of the facets, side by side."""
    train, test = materials.part(TRAIN), materials.part(TEST)
    found = {}
    for subset in subsets_of(materials.facets):
        answers = []
        for objective in materials.objectives:
            known = train[np.isfinite(train[objective.column].to_numpy(np.float64))].reset_index(drop=True)
            engine = create("classical", CLASSICAL[name], Resources(materials.seed))
            engine.fit(known, known[:0], subset, objective)
            answers.append(engine.predict(test))
        found[named(subset)] = np.stack(answers, axis=1)
    return found
