"""One pass over a part of a source: what may be sampled goes to disk, what cannot be used is named."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from polyfacet.materials.material import SAMPLE, Material, sample_table
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import column
from polyfacet.runtime.progress import track
from polyfacet.sources.draw import MAX_RANK, Draw
from polyfacet.sources.items import Item, Part, Rejected
from polyfacet.sources.repeats import (
    CONTENT,
    FORMULA,
    STRUCTURE,
    content_digest,
    formula_digest,
    structure_digest,
)
from polyfacet.sources.sorted_runs import write_run

# A run needs about 4 kB of memory per material while it is collected.
RUN_ROWS = 10_000
# A source with more rejects, which are kept in memory with their reasons, is hardly a source of crystals.
MAX_INVALID = 1_000_000

REJECTED_ENTRIES = pa.schema(
    [
        column("source_file", pa.string(), "file of the entry"),
        column("source_position", pa.int64(), "line of a CSV, from 1, or position in that file, from 0"),
        column(
            "mat_id", pa.string(), "identifier stated by the entry, truncated to 80 characters", nullable=True
        ),
        column("reason", pa.string(), "why the entry cannot be used"),
    ]
)
RANK = column("rank", pa.uint64(), "place in the order in which samples grow")
VALUE = column("value", pa.float64(), "value by which the draw is stratified; NaN if unknown")
ELIGIBLE = pa.schema(
    [
        *(SAMPLE.field(name) for name in ("source_file", "source_position", "mat_id")),
        RANK,
        VALUE,
        FORMULA,
        STRUCTURE,
        CONTENT,
    ]
)


@dataclass(frozen=True)
class PartPass:
    """Result of a pass over a part."""

    counts: Counter[str]
    # Rejects, as `REJECTED_ENTRIES` declares them.
    invalid: pa.Table
    # Every material that could be sampled, as `ELIGIBLE` declares them, in the order of the source.
    eligible: pa.Table
    # Files with the materials of low enough rank, sorted by mat_id and with their ranks.
    runs: list[Path]


def pass_over(part: Part, folder: Path, draw: Draw) -> PartPass:
    """Read, check and collect the materials of one part.

    Parameters
    ----------
    part
        What to read.
    folder
        Existing folder for the runs of this part only.
    draw
        What to collect.

    Raises
    ------
    UserError
        If a file is damaged, or if so much cannot be used that this is hardly a source of crystals.
    """
    counts = Counter(read=0, invalid=0)
    invalid: list[dict[str, Any]] = []
    candidates = _Candidates(folder, draw)
    for item in track(part.items(), part.label):
        counts["read"] += 1
        material = item.content
        if isinstance(material, Rejected):
            counts["invalid"] += 1
            invalid.append(_rejected_row(item, material))
            if len(invalid) > MAX_INVALID:
                raise UserError(
                    f"{item.source_file}: more than {MAX_INVALID:,} entries cannot be used, such as entry "
                    f"{item.position}: {material.reason}. Leave the file out, or correct it."
                )
            continue
        left_out = draw.leaves_out(material)
        if left_out:
            counts[left_out] += 1
        else:
            candidates.add(material, item.source_file, item.position)
    candidates.write_waiting()
    rejected = pa.Table.from_pylist(invalid, schema=REJECTED_ENTRIES)
    return PartPass(counts, rejected, candidates.eligible(), candidates.runs)


def _rejected_row(item: Item, rejected: Rejected) -> dict[str, Any]:
    return {
        "source_file": item.source_file,
        "source_position": item.position,
        "mat_id": rejected.stated_id,
        "reason": rejected.reason,
    }


@dataclass
class _Candidates:
    """The materials of a part that may be sampled: a limited number wait in memory, the rest are on disk."""

    folder: Path
    draw: Draw
    mat_ids: list[str] = field(default_factory=list)
    ranks: "array[int]" = field(default_factory=lambda: array("Q"))
    files: list[str] = field(default_factory=list)
    positions: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    formulas: "array[int]" = field(default_factory=lambda: array("Q"))
    structures: "array[int]" = field(default_factory=lambda: array("Q"))
    contents: "array[int]" = field(default_factory=lambda: array("Q"))
    waiting: list[tuple[Material, str, int, int]] = field(default_factory=list)
    runs: list[Path] = field(default_factory=list)
    last_rank: int = MAX_RANK

    def add(self, material: Material, source_file: str, position: int) -> None:
        rank = self.draw.rank(material.mat_id)
        self.mat_ids.append(material.mat_id)
        self.ranks.append(rank)
        self.files.append(source_file)
        self.positions.append(position)
        self.values.append(self.draw.value_of(material))
        self.formulas.append(formula_digest(material))
        self.structures.append(structure_digest(material))
        self.contents.append(content_digest(material))
        if rank <= self.last_rank:
            self.waiting.append((material, source_file, position, rank))
            if len(self.waiting) == RUN_ROWS:
                self._drop_high_ranks()
                if len(self.waiting) > RUN_ROWS // 2:
                    self.write_waiting()

    def _drop_high_ranks(self) -> None:
        """Drop the materials that those seen so far already exclude from the sample."""
        self.last_rank = self.draw.last_rank(np.unique(np.frombuffer(self.ranks, np.uint64)))
        self.waiting = [candidate for candidate in self.waiting if candidate[-1] <= self.last_rank]

    def write_waiting(self) -> None:
        self._drop_high_ranks()
        if self.waiting:
            path = self.folder / f"{len(self.runs)}.arrow"
            write_run(path, self._table())
            self.runs.append(path)
            self.waiting = []

    def _table(self) -> pa.Table:
        """Return the waiting materials in the order of their identifiers."""
        ordered = sorted(self.waiting, key=lambda candidate: candidate[0].mat_id)
        materials, files, positions, ranks = zip(*ordered, strict=True)
        table = sample_table(materials, files, positions)
        return table.append_column(RANK, pa.array(ranks, RANK.type))

    def eligible(self) -> pa.Table:
        columns = {
            "source_file": self.files,
            "source_position": np.frombuffer(self.positions, np.int64),
            "mat_id": self.mat_ids,
            "rank": np.frombuffer(self.ranks, np.uint64),
            "value": np.frombuffer(self.values, np.float64),
            "formula": np.frombuffer(self.formulas, np.uint64),
            "structure": np.frombuffer(self.structures, np.uint64),
            "content": np.frombuffer(self.contents, np.uint64),
        }
        return pa.table(columns, schema=ELIGIBLE)
