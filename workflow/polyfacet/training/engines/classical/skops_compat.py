"""skops, imported without PyTorch.

skops asks scikit-learn for all its estimators. scikit-learn looks for them in all its packages, including
those that wrap PyTorch, which takes seconds in every process that trains or predicts.
"""

import pkgutil
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from sklearn.utils import discovery

from polyfacet.runtime.upstream import written_for

written_for(__name__, "scikit-learn", "1.9.1")
written_for(__name__, "skops", "0.16.0")


def modules_with_estimators(path: Sequence[str], prefix: str) -> Iterator[pkgutil.ModuleInfo]:
    """Walk through packages like `pkgutil.walk_packages`, but not where no estimator is looked for."""
    for found in pkgutil.iter_modules(path, prefix):
        if found.name.rpartition(".")[2] not in discovery._MODULE_TO_IGNORE:
            yield found
            if found.ispkg:
                yield from modules_with_estimators(import_module(found.name).__path__, f"{found.name}.")


def _skops_io() -> Any:
    walking = discovery.pkgutil
    discovery.pkgutil = SimpleNamespace(walk_packages=modules_with_estimators)
    try:
        return import_module("skops.io")
    finally:
        discovery.pkgutil = walking


skops_io = _skops_io()
