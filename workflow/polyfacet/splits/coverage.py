"""Coverage of a sample by a split: materials without a part, and identifiers that are not in the sample."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from polyfacet.runtime.records import read_record, write_record

# The report shows what kind of identifiers these are, not all of them.
MAX_EXAMPLES = 5


class Coverage(BaseModel):
    """Materials that a split leaves out of its sample, and identifiers with a part that are not in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_materials: int
    # Materials that no cell uses; the first of them.
    n_without_part: int
    without_part: list[str]
    # Identifiers with a part that are not in the sample; the first of them.
    n_unknown: int
    unknown: list[str]

    def __str__(self) -> str:
        """Describe the mismatches; empty without any."""
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
    """Compare the identifiers with a part with those of the sample."""
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
    """Write the coverage as JSON."""
    write_record(path, coverage)


def read_coverage(path: Path) -> Coverage:
    """Read a coverage of `write_coverage`; if the file is damaged, the error says to delete it."""
    return read_record(path, Coverage)


def _examples(names: list[str], n: int) -> str:
    return ", ".join(names) + (", ..." if n > len(names) else "")
