"""The card of a cell: what was trained on what, what it cost, where it was made."""

import platform
import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from polyfacet.runtime.packages import imported_versions
from polyfacet.runtime.records import read_record, write_record


class _Part(BaseModel):
    """A piece of a card: closed to unknown keys, immutable; infinities and NaN survive the JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


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
    # Left out by the split, which gives them no part.
    n_without_part: int


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
    # Of the packages that the engine's code imports.
    versions: dict[str, str]


class Inputs(_Part):
    """Digests of what a cell saw of all its materials; see `polyfacet.training.provenance`."""

    # Their identifiers, and the part of each.
    split: str
    objective: str
    # Facet to digest.
    facets: dict[str, str]
    # Of the compositions; None where the engine does not look at them.
    statistics: str | None


class Card(_Part):
    """Everything that is known of one cell of the grid; how well it predicts follows from its predictions."""

    # What tells the cell from all others.
    run: str
    source: str
    split: str
    repeat: int
    method: str
    combination: str
    objective: str

    status: Literal["ok", "failed"]
    # Why the cell failed; None where it did not.
    reason: str | None
    # How the split was made.
    split_method: str
    engine: str
    # As resolved: given values and the defaults of the rest.
    settings: dict[str, Any]
    # What is told apart where the objective has classes.
    classes: list[str]
    # Whether the method looks at no facet.
    is_baseline: bool
    # Whether a facet of the combination shows the objective itself.
    contains_answer: bool
    # Of training.
    seed: int
    counts: Counts
    # Digest of the identifiers of the materials tested on: equal where two cells were tested on the same.
    tested: str
    # What each facet's encoder started from: SHA-256 of a local checkpoint, or repository@commit of the hub.
    encoders: dict[str, str]
    # Digests of what the cell saw, and of the code that trains; None where no job trained it.
    inputs: Inputs | None = None
    code: str | None = None
    # Digest of what all cells of the method on this split share; None for nothing.
    foundation: str | None = None
    cost: Cost
    origin: Origin

    @model_validator(mode="after")
    def _reason_where_it_failed(self) -> Self:
        if (self.status == "ok") != (self.reason is None):
            raise ValueError("a card has a reason if its cell failed, and only then")
        return self


def write_card(path: Path, card: Card) -> None:
    """Write a card as JSON; the file appears whole or not at all."""
    write_record(path, card)


def read_card(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    UserError
        If the file is not a card of this version; the message names it and the fields.
    """
    return read_record(path, Card)


def measure_cost(wall_time_s: float, threads: int) -> Cost:
    """Take the cost of this process up to now."""
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(wall_time_s=wall_time_s, peak_memory_mib=peak_kib / 1024, threads=threads)


def describe_origin(code: Iterable[Path]) -> Origin:
    """Describe this machine and the versions of the packages that an engine's code imports.

    Parameters
    ----------
    code
        Files of the engine.
    """
    return Origin(
        platform=platform.platform(),
        python=platform.python_version(),
        python_prefix=sys.prefix,
        versions=imported_versions(*code),
    )
