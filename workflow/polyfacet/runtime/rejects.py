"""Materials that a stage rejects: counted, named, with the reason; never dropped silently."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.parquet import column, n_rows, write_table

REJECTS = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the rejected material"),
        column("reason", pa.string(), "reason for the rejection, in words"),
    ]
)


@dataclass(frozen=True)
class Reject:
    """A material that a stage rejected."""

    mat_id: str
    reason: str

    @classmethod
    def because_of(cls, mat_id: str, error: Exception) -> Self:
        """Reject a material because of an error; failures of the machine are raised instead."""
        raise_machine_failure(error)
        return cls(mat_id, str(error))


def record_rejects(path: Path, rejects: Sequence[Reject], n_materials: int, limit: float, stage: str) -> None:
    """Write a stage's rejects, and stop the stage if there are too many; see `check_rejected_fraction`.

    Parameters
    ----------
    path
        Output: the rejects, ordered by mat_id (a table without rows if there are none).
    rejects
        Materials that the stage rejected.
    n_materials
        Number of materials that it was given.
    limit, stage
        Share of rejects above which it stops; name of the stage for the message.
    """
    write_rejects(path, rejects)
    reasons = [reject.reason for reject in rejects]
    check_rejected_fraction(len(rejects), n_materials, limit, stage, reasons)


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write a stage's rejects, ordered by mat_id (a table without rows if there are none)."""
    rows = sorted(rejects, key=lambda reject: (reject.mat_id, reject.reason))
    write_table(path, [vars(reject) for reject in rows], REJECTS)


def check_rejected_fraction(
    n_rejected: int, n_total: int, limit: float, stage: str, reasons: Sequence[str]
) -> None:
    """Stop a stage that rejected too many of its materials.

    Raises
    ------
    UserError
        If more than ``limit`` of ``n_total`` were rejected; the message lists the most frequent reasons.
    """
    if n_total == 0 or n_rejected <= limit * n_total:
        return
    raise UserError(
        f"{stage}: {n_rejected} of {n_total} materials were rejected, more than max_rejected_fraction "
        f"({limit:g}) allows. The reasons:\n{most_frequent(reasons)}\n"
        "Correct the input, filter these materials out, or raise max_rejected_fraction."
    )


def most_frequent(reasons: Sequence[str]) -> str:
    """List the most frequent reasons, one per line, with their counts."""
    return "\n".join(f"  {n} x {reason}" for reason, n in Counter(reasons).most_common(5))


def counted_rejects(patterns: Sequence[str]) -> list[str]:
    """Return the patterns of tables that hold rejects, each with their number.

    Parameters
    ----------
    patterns
        Paths of tables of rejects; their names may have wildcards of the shell.
    """
    found = {pattern: Path(pattern).parent.glob(Path(pattern).name) for pattern in patterns}
    numbers = {pattern: sum(map(n_rows, paths)) for pattern, paths in found.items()}
    return [f"{pattern} ({number:,})" for pattern, number in numbers.items() if number]
