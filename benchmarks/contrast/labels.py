"""Experiment: what pretraining is worth where few of the training rows have labels."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.contrast.grounds import Ground
from benchmarks.joint.dedicated import CLASSICAL, predictions_of_classical
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Networks
from benchmarks.joint.results import Rows, errors_of_subsets, quantities

from polyfacet.facets.declaration import Facet
from polyfacet.splits.parts import TEST, TRAIN

# Ways of contrast that are compared at all numbers of labels.
AT_ALL_LABELS = ("fused_anchor", "all_pairs")
# Part of the key of the rows that keep their labels.
PURPOSE = 11
ALL_LABELS = "all labels"
# Without pretraining: the network of all facets, and one of those that a ground names.
WITHOUT, ALONE = "labels only", "labels only, these facets alone"
# Pretraining of each model; the shuffled partners must teach nothing of use.
PRETRAINED: dict[str, dict[str, Any]] = {
    "fused_anchor": {"contrast": "fused_anchor"},
    "fused_anchor, frozen": {"contrast": "fused_anchor", "afterwards": "frozen"},
    "fused_anchor, shuffled partners": {"contrast": "fused_anchor", "partners": "shuffled"},
    "anchored": {"contrast": "anchored"},
    "all_pairs": {"contrast": "all_pairs"},
    "comm": {"contrast": "comm"},
    "calibrated": {"contrast": "calibrated"},
}


def compare_with_few_labels(ground: Ground, materials: Materials, networks: Networks) -> Rows:
    """Compare networks pretrained on all training rows with those that see the labelled ones alone."""
    rows: Rows = []
    all_models_at = ground.all_models_at or materials.n_train
    for n in sorted({min(n, materials.n_train) for n in (*ground.n_labels, materials.n_train)}):
        few = with_labels(materials, n)
        rows += _errors(few, networks, WITHOUT, n)
        rows += _errors(few, networks, ALONE, n, ground.alone)
        for name, pretraining in PRETRAINED.items():
            if n == all_models_at or name in AT_ALL_LABELS:
                rows += _errors(few, networks, name, n, pretraining=pretraining)
        for name in CLASSICAL:
            predicted = predictions_of_classical(few, name)
            rows += errors_of_subsets(materials, name, predicted, condition=condition_of(n, materials))
    return rows


def with_labels(materials: Materials, n: int) -> Materials:
    """Hide the objectives of all training rows but ``n``, which are among those of a larger number."""
    of_train = np.flatnonzero(materials.rows["part"] == TRAIN)
    hidden = materials.random(PURPOSE).permutation(of_train)[n:]
    columns = [each.column for each in materials.objectives]
    rows = materials.rows.copy()
    rows.loc[hidden, columns] = np.nan
    return replace(materials, rows=rows)


def condition_of(n: int, materials: Materials) -> str:
    """Return how tables call a number of labels; all of them are not equally many in each repeat."""
    return f"{n} labels" if n < materials.n_train else ALL_LABELS


def _errors(
    materials: Materials,
    networks: Networks,
    name: str,
    n: int,
    facets: Sequence[Facet] | None = None,
    **settings: Any,
) -> Rows:
    network = networks.train(materials, facets, **settings)
    if network is None:
        return []
    predicted = network.predict_subsets(materials.part(TEST))
    found = errors_of_subsets(materials, name, predicted, condition=condition_of(n, materials))
    return found + quantities(
        name, [("core_seconds", network.core_seconds)], condition=condition_of(n, materials)
    )


def compared_models() -> Sequence[str]:
    """Return the names of all models, in the order of tables."""
    return [WITHOUT, ALONE, *PRETRAINED, *CLASSICAL]
