"""The methods of a run that names none.

AutoGluon's grid, methods cheap enough to repeat, averages of these, and baselines.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from polyfacet.config.methods import Method

CRYSTALS = "crystals"

# Chosen for time and accuracy on composition images of the embedded crystals (docs/engines.md).
RIDGE: dict[str, Any] = {"alpha": 100.0}
EXTRA_TREES: dict[str, Any] = {"n_estimators": 60, "max_features": 0.3}
# Methods are compared by absolute errors.
MEDIAN = {"statistic": "median"}
BOOSTING: dict[str, Any] = {
    "n_estimators": 100,
    "learning_rate": 0.1,
    "max_depth": 4,
    "subsample": 0.8,
    "colsample_bytree": 0.3,
    "tree_method": "hist",
    "max_bin": 64,
}


def default_methods() -> dict[str, Method]:
    """Return the methods by name."""
    return {
        # On the combinations of the key `combinations`, until its networks converge, which takes most of the
        # time of the run; config/automm_all.yaml has all objectives.
        "automm": Method(engine="automm", objectives=1, repeats=1),
        "ridge": _cheap("ridge", RIDGE),
        "extra_trees": _cheap("extra_trees", EXTRA_TREES, MEDIAN),
        "boosting": _cheap("xgboost", BOOSTING, MEDIAN),
        "average": _blend(of="facets", weights="equal"),
        "stack": _blend(of="subsets", weights="validation"),
        "mean": Method(engine="dummy", settings={"statistic": "mean"}),
        "median": Method(engine="dummy", settings={"statistic": "median"}),
    }


def _cheap(
    model: str, hyperparameters: dict[str, Any], settings: Mapping[str, Any] = MappingProxyType({})
) -> Method:
    return Method(
        engine="classical",
        settings={"model": model, **settings, "hyperparameters": hyperparameters},
        combinations={CRYSTALS: ["full", "descriptors"]},
    )


def _blend(**settings: str) -> Method:
    members = ["ridge", "extra_trees", "boosting"]
    return Method(engine="blend", settings={"members": members, **settings})
