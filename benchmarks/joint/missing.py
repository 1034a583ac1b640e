"""Experiment: half of the facets of the training rows are hidden."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from benchmarks.joint.conditions import hidden_facets
from benchmarks.joint.dedicated import DEDICATED, UNIVERSAL, named, subsets_of
from benchmarks.joint.imputation import Imputer
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Network, Networks
from benchmarks.joint.results import Rows, errors, errors_of_subsets, quantities

from polyfacet.splits.parts import TEST, TRAIN

SHARE = 0.5
HIDING = 1
COMPLETE_ROWS, IMPUTED, IMPUTED_UNIVERSAL = "complete_rows", "imputed", "imputed_universal"


def half_hidden(materials: Materials, share: float = SHARE) -> Materials:
    """Hide a share of the facets of the training rows."""
    n_facets = len(materials.facets)
    hidden = hidden_facets(materials.n_train, n_facets, share, materials.random(HIDING))
    return materials.with_hidden(hidden)


def compare_with_hidden_facets(materials: Materials, networks: Networks) -> Rows:
    """Compare what can be done with training rows of which half of the facets are hidden."""
    hidden, test = half_hidden(materials), materials.part(TEST)
    universal, complete_rows = networks.train(hidden, missing=True), networks.train(hidden)
    rows: Rows = []
    for name, network in ((UNIVERSAL, universal), (COMPLETE_ROWS, complete_rows)):
        rows += quantities(name, [("n_train", network.n_train if network else 0)])
        if network:
            rows += errors_of_subsets(materials, name, network.predict_subsets(test))
    for subset in subsets_of(materials.facets):
        network = networks.train(hidden, subset, subsets="none")
        n_train = network.n_train if network else 0
        rows += quantities(DEDICATED, [("n_train", n_train)], subset=named(subset))
        if network:
            rows += errors(materials, DEDICATED, named(subset), network.predict(test, subset))
    return rows + _imputed(materials, hidden, networks)


def _imputed(materials: Materials, hidden: Materials, networks: Networks) -> Rows:
    """Train on imputed rows: a network of all facets, for imputed test rows, and one of all subsets."""
    train, test = hidden.trained_on(materials.facets, missing=True), materials.part(TEST)
    imputer = Imputer.fit(train, materials.facets)
    rows: Rows = []
    with TemporaryDirectory() as scratch:
        filled = hidden.with_training_rows(imputer.fill(train, Path(scratch, TRAIN)))
        universal = networks.train(filled)
        network = networks.train(filled, subsets="none")
        if universal:
            rows += errors_of_subsets(materials, IMPUTED_UNIVERSAL, universal.predict_subsets(test))
        if network:
            rows += _errors_of_imputed_rows(materials, network, imputer, Path(scratch))
    return rows


def _errors_of_imputed_rows(materials: Materials, network: Network, imputer: Imputer, folder: Path) -> Rows:
    test = materials.part(TEST)
    rows: Rows = []
    for subset in subsets_of(materials.facets):
        has = np.array([facet in subset for facet in materials.facets])
        shown = materials.showing(TEST, np.tile(~has, (len(test), 1)))
        filled = imputer.fill(shown, folder / named(subset))
        rows += errors(materials, IMPUTED, named(subset), network.predict(filled, materials.facets))
    return rows
