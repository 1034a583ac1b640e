"""Heads of cells: models of one objective on the frozen representation of the cell's facets."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.classical.engine import Classical
from polyfacet.training.engines.classical.settings import ClassicalSettings
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.numeric_facets import Array

# The representation of a row, as a facet that the head sees.
REPRESENTATION = Facet("representation", "representation of the joint network", "vector", "columns")
# Settings of each head, which those of the configuration change.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ridge": {"model": "ridge", "hyperparameters": {"alpha": 100.0}},
    "extra_trees": {
        "model": "extra_trees",
        "statistic": "median",
        "hyperparameters": {"n_estimators": 60, "max_features": 0.3},
    },
}


def new_head(settings: JointSettings, resources: Resources) -> Classical | None:
    """Return the head that settings ask for, not fitted yet; None for the network's own output."""
    if settings.head == "shared":
        return None
    own = DEFAULTS[settings.head]
    hyperparameters = {**own["hyperparameters"], **settings.hyperparameters}
    return Classical(ClassicalSettings(**{**own, "hyperparameters": hyperparameters}), resources, "classical")


def as_rows(representation: Array, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the representation as their only facet; the objective's column stays, if there is."""
    kept = rows.drop(columns=REPRESENTATION.name, errors="ignore")
    return kept.assign(**{REPRESENTATION.name: pd.Series(list(representation), rows.index)})
