"""Experiments: what frozen representations are worth to a linear model, and how they lie in their space."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from benchmarks.contrast.grounds import Ground
from benchmarks.contrast.labels import PRETRAINED, WITHOUT, condition_of, with_labels
from benchmarks.contrast.linear import fitted_ridge
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Array, Networks
from benchmarks.joint.results import Rows, errors

from polyfacet.evaluation.representations.tables import geometry_of
from polyfacet.facets.declaration import Facet
from polyfacet.splits.parts import TEST, TRAIN
from polyfacet.training.engines.joint.foundation import Foundation
from polyfacet.training.engines.numeric_facets import original_features

INPUTS, UNTRAINED = "inputs", "untrained"
# Ways of contrast whose representations are compared, as pretraining leaves them.
FROZEN: dict[str, dict[str, Any]] = {
    name: {**PRETRAINED[name], "afterwards": "frozen"}
    for name in ("fused_anchor", "all_pairs", "fused_anchor, shuffled partners")
}


def compare_towers(ground: Ground, materials: Materials, networks: Networks) -> Rows:
    """Fit linear models on representations of the labelled rows, and judge them on test rows."""
    n = ground.all_models_at or materials.n_train
    few = with_labels(materials, n)
    train, test = few.part(TRAIN), few.part(TEST)
    foundations = _foundations(few, networks)
    rows: Rows = []
    for subset in ground.shown:
        facets = [facet for facet in materials.facets if facet.name in subset.split("+")]
        numbers = {INPUTS: [original_features(part, facets) for part in (train, test)]}
        numbers |= {
            name: [foundation.fused(part, facets) for part in (train, test)]
            for name, foundation in foundations.items()
        }
        for name, (of_train, of_test) in numbers.items():
            predicted = _predicted(of_train, few.truth(TRAIN), of_test)
            rows += errors(few, name, subset, predicted, condition_of(n, materials))
    return rows


def measure_space(ground: Ground, materials: Materials, networks: Networks) -> Rows:
    """Measure the representations of test rows by each facet."""
    few = with_labels(materials, ground.all_models_at or materials.n_train)
    represented = {
        name: {facet.name: _of_length_1(foundation, few, facet) for facet in materials.facets}
        for name, foundation in _foundations(few, networks).items()
    }
    return [
        {
            "model": row.method,
            "subset": row.facet if row.other is None else f"{row.facet}+{row.other}",
            "quantity": row.metric,
            "value": row.value,
        }
        for row in geometry_of(represented).itertuples()
    ]


def _foundations(materials: Materials, networks: Networks) -> dict[str, Foundation]:
    """Return networks by what they have learned: nothing, the objectives, or what facets have in common."""
    ways = {WITHOUT: {}} | {name: {"pretraining": pretraining} for name, pretraining in FROZEN.items()}
    trained = {name: networks.train(materials, **settings) for name, settings in ways.items()}
    found = {name: network.foundation for name, network in trained.items() if network is not None}
    if WITHOUT in found:
        return {UNTRAINED: found[WITHOUT].untrained(networks.settings(), materials.seed), **found}
    return found


def _of_length_1(foundation: Foundation, materials: Materials, facet: Facet) -> Array:
    values = foundation.fused(materials.part(TEST), [facet])
    length: Array = np.linalg.norm(values, axis=1, keepdims=True)
    return values / length


def _predicted(train: Array, known: Array, test: Array) -> Array:
    """Predict each objective from numbers, by the training rows that have a value of it."""
    answers = []
    for values in known.T:
        has_value = np.isfinite(values)
        answers.append(fitted_ridge(train[has_value], values[has_value]).predict(test))
    return np.stack(answers, axis=1)


def compared_towers() -> Sequence[str]:
    """Return the names of all models, in the order of tables."""
    return [INPUTS, UNTRAINED, WITHOUT, *FROZEN]
