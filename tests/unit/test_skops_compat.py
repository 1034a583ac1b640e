"""skops knows all estimators of scikit-learn, although not all of its packages are imported for that."""

from pathlib import Path

import sklearn
from sklearn.utils import all_estimators
from skops.io import _trusted_types

from polyfacet.training.engines.classical.skops_compat import modules_with_estimators


def test_all_estimators_are_found() -> None:
    every = {f"{each.__module__}.{each.__name__}" for _, each in all_estimators()}
    ours = {name for name in every if name.startswith("sklearn.")}
    assert len(ours) > 150
    # Public names, where an estimator has one.
    assert len(_trusted_types.SKLEARN_ESTIMATOR_TYPE_NAMES) == len(ours)


def test_packages_that_scikit_learn_wraps_are_left_alone() -> None:
    folder = str(Path(sklearn.__file__).parent)
    names = {found.name for found in modules_with_estimators([folder], "sklearn.")}
    assert {"sklearn.ensemble", "sklearn.ensemble._forest", "sklearn.svm"} <= names
    assert not {name for name in names if ".externals" in name or ".tests" in name}
