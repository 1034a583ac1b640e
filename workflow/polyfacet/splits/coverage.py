"""How a split and its sample match: materials that get no part, and identifiers that are of no material."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from polyfacet.runtime.records import read_record, write_record

# The report is to show which identifiers these are, not all of them.
MAX_EXAMPLES = 5


class Coverage(BaseModel):
    """What a split leaves out of its sample, and what it gives a part that is not in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_materials: int
    # No cell sees these; the first of them.
    n_without_part: int
    without_part: list[str]
    # Identifiers that are given a part and are not in the sample; the first of them.
    n_unknown: int
    unknown: list[str]

    def __str__(self) -> str:
        """Say what does not match; nothing where all does."""
        said = []
        if self.n_without_part:
            said.append(
                f"{self.n_without_part} of {self.n_materials} materials have no part and are in no cell "
                f"({_examples(self.without_part, self.n_without_part)})"
            )
        if self.n_unknown:
            named = "identifier with a part is" if self.n_unknown == 1 else "identifiers with a part are"
            said.append(
                f"{self.n_unknown} {named} not in the sample ({_examples(self.unknown, self.n_unknown)})"
            )
        return "; ".join(said)


def coverage_of(given: Iterable[str], mat_ids: Iterable[str]) -> Coverage:
    """Compare the identifiers that are given a part with those of the sample."""
    with_part, materials = set(given), set(mat_ids)
    without = sorted(materials - with_part)
    unknown = sorted(map(str, with_part - materials))
    return Coverage(
        n_materials=len(materials),
        n_without_part=len(without),
        without_part=without[:MAX_EXAMPLES],
        n_unknown=len(unknown),
        unknown=unknown[:MAX_EXAMPLES],
    )


def write_coverage(path: Path, coverage: Coverage) -> None:
    """Write it as JSON."""
    write_record(path, coverage)


def read_coverage(path: Path) -> Coverage:
    """Read what ``write_coverage`` has written; if the file is damaged, the error says to delete it."""
    return read_record(path, Coverage)


def _examples(names: list[str], n: int) -> str:
    return ", ".join(names) + (", ..." if n > len(names) else "")
