"""One pass over one entry file: its entries are checked, and those that may be sampled go to disk."""

import gc
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from polyfacet.materials.material import SAMPLE, Material, sample_table
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import column
from polyfacet.runtime.progress import track
from polyfacet.sources.alexandria.draw import MAX_RANK, Draw
from polyfacet.sources.alexandria.entries import read_entries
from polyfacet.sources.alexandria.entry_keys import MislabelledEntry
from polyfacet.sources.alexandria.entry_values import InvalidEntryError, shown
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.alexandria.sorted_runs import write_run

# A run needs about 4 kB of memory per material while it is collected.
RUN_ROWS = 10_000
# A file with more invalid entries, which are kept in memory with their reasons, is hardly a file of entries.
MAX_INVALID = 1_000_000

REJECTED_ENTRIES = pa.schema(
    [
        column("source_file", pa.string(), "file of the entry"),
        column("source_position", pa.int64(), "position of the entry in that file, from 0"),
        column(
            "mat_id", pa.string(), "identifier stated by the entry, truncated to 80 characters", nullable=True
        ),
        column("reason", pa.string(), "why the entry cannot be used"),
    ]
)
RANK = column("rank", pa.uint64(), "place in the order in which samples grow")
ELIGIBLE = pa.schema([SAMPLE.field(name) for name in ("source_file", "source_position", "mat_id")] + [RANK])


@dataclass(frozen=True)
class EntryPass:
    """Result of a pass over a file."""

    counts: Counter[str]
    # Invalid entries, as `REJECTED_ENTRIES` declares them.
    invalid: pa.Table
    # Every material that could be sampled, as `ELIGIBLE` declares them, in the order of the file.
    eligible: pa.Table
    # Files with the materials of low enough rank, sorted by mat_id and with their ranks.
    runs: list[Path]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Rely on reference counts alone: JSON values contain no cycles, and searching for them takes time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_no_garbage_collection()
def pass_over(path: Path, folder: Path, draw: Draw) -> EntryPass:
    """Read, check and collect the entries of one file.

    Parameters
    ----------
    path
        Entry file.
    folder
        Existing folder for the runs of this file only.
    draw
        What to collect.

    Raises
    ------
    UserError
        If the file is damaged, or has so many invalid entries that it is hardly a file of entries.
    """
    counts = Counter(read=0, invalid=0)
    invalid: list[dict[str, Any]] = []
    candidates = _Candidates(str(path), folder, draw)
    for position, entry in track(read_entries(path), f"entries of {path.name}"):
        counts["read"] += 1
        try:
            material = _checked(entry, draw)
        except InvalidEntryError as error:
            counts["invalid"] += 1
            where = {"source_file": str(path), "source_position": position}
            invalid.append({**where, "mat_id": _stated_id(entry), "reason": str(error)})
            if len(invalid) > MAX_INVALID:
                raise UserError(
                    f"{path}: more than {MAX_INVALID:,} entries cannot be used, such as entry {position}: "
                    f"{error}. Remove the file from `sources`, or correct it."
                ) from error
            continue
        left_out = draw.leaves_out(material)
        if left_out:
            counts[left_out] += 1
        else:
            candidates.add(material, position)
    candidates.write_waiting()
    rejected = pa.Table.from_pylist(invalid, schema=REJECTED_ENTRIES)
    return EntryPass(counts, rejected, candidates.eligible(), candidates.runs)


def _checked(entry: Any, draw: Draw) -> Material:
    if isinstance(entry, MislabelledEntry):
        raise InvalidEntryError(f"mat_id is {shown(entry.stated)}, but the entry's key is {shown(entry.key)}")
    return material_from_entry(entry, draw.magnetization)


def _stated_id(entry: Any) -> str | None:
    """Return the identifier of an entry that failed its check, if it has one."""
    if isinstance(entry, MislabelledEntry):
        return _short(entry.stated)
    try:
        stated = entry["data"]["mat_id"]
    except (TypeError, KeyError, IndexError):
        return None
    return _short(stated) if isinstance(stated, str) else None


def _short(text: str) -> str:
    return text[:80].encode("utf-8", "backslashreplace").decode()


@dataclass
class _Candidates:
    """The materials of a file that may be sampled: a limited number wait in memory, the rest are on disk."""

    source_file: str
    folder: Path
    draw: Draw
    mat_ids: list[str] = field(default_factory=list)
    ranks: "array[int]" = field(default_factory=lambda: array("Q"))
    positions: "array[int]" = field(default_factory=lambda: array("q"))
    waiting: list[tuple[Material, int, int]] = field(default_factory=list)
    runs: list[Path] = field(default_factory=list)
    last_rank: int = MAX_RANK

    def add(self, material: Material, position: int) -> None:
        rank = self.draw.rank(material.mat_id)
        self.mat_ids.append(material.mat_id)
        self.ranks.append(rank)
        self.positions.append(position)
        if rank <= self.last_rank:
            self.waiting.append((material, position, rank))
            if len(self.waiting) == RUN_ROWS:
                self._drop_high_ranks()
                if len(self.waiting) > RUN_ROWS // 2:
                    self.write_waiting()

    def _drop_high_ranks(self) -> None:
        """Drop the materials that those seen so far already exclude from the sample."""
        self.last_rank = self.draw.last_rank(np.unique(np.frombuffer(self.ranks, np.uint64)))
        self.waiting = [candidate for candidate in self.waiting if candidate[2] <= self.last_rank]

    def write_waiting(self) -> None:
        if self.waiting:
            self._drop_high_ranks()
            path = self.folder / f"{len(self.runs)}.arrow"
            write_run(path, self._table())
            self.runs.append(path)
            self.waiting = []

    def _table(self) -> pa.Table:
        """Return the waiting materials in the order of their identifiers."""
        ordered = sorted(self.waiting, key=lambda candidate: candidate[0].mat_id)
        materials, positions, ranks = zip(*ordered, strict=True)
        table = sample_table(materials, self.source_file, positions)
        return table.append_column(RANK, pa.array(ranks, RANK.type))

    def eligible(self) -> pa.Table:
        columns = {
            "source_file": [self.source_file] * len(self.mat_ids),
            "source_position": np.frombuffer(self.positions, np.int64),
            "mat_id": self.mat_ids,
            "rank": np.frombuffer(self.ranks, np.uint64),
        }
        return pa.table(columns, schema=ELIGIBLE)
