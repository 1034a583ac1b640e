"""The card of a cell: what was trained on what, how well it predicts, what it cost, where it was made."""

import importlib.metadata
import platform
import resource
import sys
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from polyfacet.runtime.files import unreadable, write_text

PACKAGES = (
    "autogluon.multimodal",
    "torch",
    "transformers",
    "timm",
    "pandas",
    "numpy",
    "scikit-learn",
    "xgboost-cpu",
)


class _Part(BaseModel):
    """A piece of a card: closed to unknown keys, immutable; infinities and NaN survive the JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Metrics(_Part):
    """Errors on the test part; ``mae`` and ``rmse`` in the unit of the target, the others without unit."""

    mae: float
    mase: float
    rmse: float
    r2: float


class ClassScores(_Part):
    """How well one class is told from the others; NaN where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float
    # Rows of the test part that are of this class.
    support: int


class ClassMetrics(_Part):
    """Accuracy, macro F1 and the scores of each class on the test part; see `polyfacet.training.metrics`."""

    accuracy: float
    macro_f1: float
    per_class: dict[str, ClassScores]


class Counts(_Part):
    """What became of the materials, or would have where the cell failed.

    In an ensemble of engines that do either, validation rows are trained on and choose.
    """

    # Trained on, validation rows included where the engine trains on them.
    n_train: int
    # Chose the epoch or the checkpoints.
    n_valid: int
    # Tested on.
    n_test: int
    # Left out: without a facet of the combination, or without a value of the objective.
    n_missing: int


class Cost(_Part):
    """What the cell took, and the threads it had; memory is the peak resident size of the process."""

    wall_time_s: float
    peak_memory_mib: float
    threads: int


class Origin(_Part):
    """Where the numbers were made."""

    platform: str
    python: str
    python_prefix: str
    versions: dict[str, str]


class Card(_Part):
    """Everything that is known of one cell of the grid, or of one dummy row beside it."""

    status: Literal["ok", "failed"]
    # Why the cell failed; None where it did not.
    reason: str | None
    engine: str
    # As resolved: given values and the defaults of the rest.
    settings: dict[str, Any]
    # Empty for an engine that looks at no facet.
    facets: list[str]
    target: str
    unit: str
    # What is told apart; empty where numbers are predicted.
    classes: list[str]
    split: str
    seed: int
    # Whether a facet of the combination shows the target itself.
    contains_answer: bool
    counts: Counts
    # Digest of the identifiers of the materials tested on: equal where two cells were tested on the same.
    tested: str
    # On the test part; None where the cell failed.
    metrics: Metrics | ClassMetrics | None
    # What each facet's encoder started from: SHA-256 of a local checkpoint, or repository@commit of the hub.
    encoders: dict[str, str]
    cost: Cost
    origin: Origin

    @model_validator(mode="after")
    def _metrics_or_reason(self) -> Self:
        ok = self.status == "ok"
        if ok != (self.metrics is not None) or ok != (self.reason is None):
            raise ValueError("a card has metrics if its cell is ok, and a reason if it failed")
        return self


def write_card(path: Path, card: Card) -> None:
    """Write a card as JSON; the file appears whole or not at all."""
    write_text(path, card.model_dump_json(indent=2) + "\n")


def read_card(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    UserError
        If the file is not a card of this version; the message names it and the fields.
    """
    try:
        return Card.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise unreadable(path, error) from error


def measure_cost(wall_time_s: float, threads: int) -> Cost:
    """Take the cost of this process up to now."""
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(wall_time_s=wall_time_s, peak_memory_mib=peak_kib / 1024, threads=threads)


def describe_origin() -> Origin:
    """Describe this machine and the versions of those packages that decide a result and are installed."""
    return Origin(
        platform=platform.platform(),
        python=platform.python_version(),
        python_prefix=sys.prefix,
        versions={name: version for name in PACKAGES if (version := _version(name))},
    )


def _version(package: str) -> str | None:
    """Give the version of a package; None where it is not installed, as dummies need none of the engines'."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
