"""The card of a cell: what was trained on which data, its cost and its origin."""

import platform
import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from polyfacet.runtime.packages import imported_versions
from polyfacet.runtime.records import read_record, write_record

# In the folder of a cell.
CARD_FILE = "card.json"


class _Part(BaseModel):
    """Part of a card: immutable, rejects unknown keys; infinities and NaN survive the JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Counts(_Part):
    """How the materials were used, or would have been if the cell had not failed.

    In an ensemble of engines of both kinds, validation rows are trained on and also select.
    """

    # Trained on, validation rows included where the engine trains on them.
    n_train: int
    # Selected the epoch or the checkpoints.
    n_valid: int
    # Tested on.
    n_test: int
    # Left out because a facet of the combination or the value of the objective is missing.
    n_missing: int
    # Left out because the split assigns them no part.
    n_without_part: int
    # Trained on or predicted although they lack a facet of the combination.
    n_incomplete: int = 0


class Cost(_Part):
    """What the cell cost, and its number of threads; memory is the peak resident size of the process."""

    wall_time_s: float
    peak_memory_mib: float
    threads: int


class Origin(_Part):
    """Where the numbers were computed."""

    platform: str
    python: str
    python_prefix: str
    # Of the packages that the engine's code imports.
    versions: dict[str, str]


class Inputs(_Part):
    """Digests of the inputs of a cell, over all its materials; see `polyfacet.training.provenance`."""

    # Their identifiers, and the part of each.
    split: str
    objective: str
    # Facet to digest.
    facets: dict[str, str]
    # Of the compositions; None where the engine does not use them.
    statistics: str | None


class BlendedCell(_Part):
    """A cell whose predictions are averaged by a blend, and its weight: weights add up to 1."""

    method: str
    combination: str
    weight: float


# plateau: validation stopped improving, and the learning rate has fallen; patience: validation stopped
# improving, whatever the learning rate.
EndedBy = Literal["plateau", "patience", "epochs", "time limit"]


class Trial(_Part):
    """Hyperparameters that were tried out, and their score on the validation rows."""

    values: dict[str, Any]
    # None where the trial failed.
    score: float | None
    reason: str | None
    seconds: float


class Course(_Part):
    """How the training of a network went."""

    epochs: int
    # The one with the best validation score of those that could become the model, counted from 1.
    best_epoch: int
    # Learning rate of the last step, as a share of its peak.
    learning_rate_end: float
    ended_by: EndedBy
    # Why the training may have been cut off before it converged; None if nothing suggests that.
    cut_off: str | None
    # Of the search of hyperparameters, the kept one included; empty without a search.
    trials: tuple[Trial, ...] = ()


class Card(_Part):
    """All facts about one cell of the grid; its scores follow from its predictions."""

    # These identify the cell.
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
    # As resolved: given values, and defaults for the rest.
    settings: dict[str, Any]
    # Class names; empty for numbers.
    classes: list[str]
    # Whether the method uses no facets.
    is_baseline: bool
    # Whether the facets together reveal the objective.
    contains_answer: bool
    # Of training.
    seed: int
    counts: Counts
    # Digest of the identifiers of the tested materials: equal for cells tested on the same materials.
    tested: str
    # What each facet's encoder started from: SHA-256 of a local checkpoint, or repository@commit of the hub.
    encoders: dict[str, str]
    # Digests of the cell's inputs and of the training code; None if no job trained the cell.
    inputs: Inputs | None = None
    code: str | None = None
    # Digest of what all cells of the method on this split share; None if they share nothing.
    foundation: str | None = None
    # None for models that are not trained by epochs, or whose engine does not record it.
    course: Course | None = None
    # What a blend averages; empty for a cell that is trained.
    blended: tuple[BlendedCell, ...] = ()
    cost: Cost
    origin: Origin

    @model_validator(mode="after")
    def _reason_where_it_failed(self) -> Self:
        if (self.status == "ok") != (self.reason is None):
            raise ValueError("a card must have a reason if its cell failed, and only then")
        return self


def write_card(path: Path, card: Card) -> None:
    """Write a card as JSON, atomically."""
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
    """Measure the cost of this process up to now."""
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
