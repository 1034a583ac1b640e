"""Write a table of sampled materials from sources, with memory that hardly grows with the sample.

Sources are read in parallel, one process per part.  Materials that may be sampled are merged from disk, one
row group of the sample at a time; only identifiers and ranks are in memory for all materials at once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.material import SAMPLE, place_in_file
from polyfacet.runtime.parquet import ROW_GROUP_ROWS, write_pieces
from polyfacet.sources.draw import Draw
from polyfacet.sources.items import Part
from polyfacet.sources.reading_pass import REJECTED_ENTRIES, PartPass, pass_over
from polyfacet.sources.repeats import DIFFERENT_CRYSTALS, DUPLICATE, Repeats
from polyfacet.sources.sorted_runs import merge_runs


@dataclass(frozen=True)
class Found:
    """Contents of the sources."""

    counts: Counter[str]
    # Rejects, as `REJECTED_ENTRIES` declares them, in the order of the parts.
    invalid: pa.Table
    # The identifiers of the sample, in order, and its ranks in ascending order.
    sampled_ids: pa.Array
    sampled_ranks: NDArray[np.uint64]
    # All materials that could be sampled, with those that have the identifier of another one.
    repeats: Repeats
    # Those outside the sample whose identifier another one has, as `REJECTED_ENTRIES` declares them.
    repeated: pa.Table
    # Files with the sampled materials, among others.
    runs: list[Path]
    # Materials per stratum, if the draw is stratified.
    strata: list[dict[str, Any]]

    @property
    def different_crystals(self) -> pa.Table:
        """Materials with the identifier of a different crystal, as `REJECTED_ENTRIES` declares them."""
        chosen = self.repeats.has_other_crystal
        return as_duplicates(self.repeats.materials.filter(chosen), self.repeats.reasons[chosen].tolist())


def find_materials(parts: Sequence[Part], folder: Path, draw: Draw, threads: int = 1) -> Found:
    """Read sources and determine which materials are sampled.

    Parameters
    ----------
    parts
        Parts of the sources; their order does not matter, except for that of the rejects.
    folder
        Existing folder for intermediate files.
    draw
        What to sample.
    threads
        Number of parts read in parallel; the result does not depend on it.

    Raises
    ------
    UserError
        If a file is damaged.
    """
    passes = _passes(parts, folder, draw, threads)
    counts = Counter(read=0, invalid=0, duplicate=0)
    for done in passes:
        counts.update(done.counts)
    eligible = pa.concat_tables([done.eligible for done in passes])
    ranks = eligible["rank"].to_numpy()
    repeats = Repeats.among(eligible)
    is_new = repeats.is_new
    distinct = np.sort(ranks[is_new])
    # The least value of materials with one identifier: it does not depend on the order of the parts.
    values = np.full(len(distinct), np.nan)
    np.fmin.at(values, np.searchsorted(distinct, ranks), eligible["value"].to_numpy())
    sampled_ranks = draw.chosen(distinct, values)
    is_sampled = _are_in(ranks, sampled_ranks)
    counts["duplicate"] = int((~is_new).sum())
    if repeats.n_crystals:
        counts[DIFFERENT_CRYSTALS] = repeats.n_crystals
    is_repeated = ~is_new & ~is_sampled
    return Found(
        counts=counts,
        invalid=pa.concat_tables([done.invalid for done in passes]),
        sampled_ids=eligible["mat_id"].filter(is_new & is_sampled).combine_chunks().sort(),
        sampled_ranks=sampled_ranks,
        repeats=repeats,
        repeated=as_duplicates(eligible.filter(is_repeated), repeats.reasons[is_repeated].tolist()),
        runs=[path for done in passes for path in done.runs],
        strata=draw.strata.table(values, _are_in(distinct, sampled_ranks)) if draw.strata else [],
    )


def _are_in(ranks: NDArray[np.uint64], ascending: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return for each rank whether it is among others in ascending order."""
    if not len(ascending):
        return np.zeros(len(ranks), bool)
    places = np.minimum(np.searchsorted(ascending, ranks), len(ascending) - 1)
    return ascending[places] == ranks


def _passes(parts: Sequence[Part], folder: Path, draw: Draw, threads: int) -> list[PartPass]:
    folders = [folder / str(i) for i in range(len(parts))]
    for own in folders:
        own.mkdir()
    work = partial(pass_over, draw=draw)
    if threads == 1 or len(parts) == 1:
        return list(map(work, parts, folders))
    # A forked process need not import pymatgen again, which takes longer than reading a small file.
    with ProcessPoolExecutor(min(threads, len(parts)), get_context("fork")) as pool:
        return list(pool.map(work, parts, folders))


def as_duplicates(materials: pa.Table, reasons: Sequence[str]) -> pa.Table:
    """Return materials as rejects, each with a reason."""
    texts = pa.array(reasons, pa.string())
    return materials.append_column("reason", texts).select(REJECTED_ENTRIES.names).cast(REJECTED_ENTRIES)


def write_sample(sample: Path, found: Found) -> pa.Table:
    """Write the sampled materials, ordered by mat_id.

    Among sampled materials with the same identifier, the one whose content sorts first is kept, in whatever
    order they occur.

    Parameters
    ----------
    sample
        Output: the table.
    found
        Contents of the sources.

    Returns
    -------
    pyarrow.Table
        All duplicates, inside and outside the sample, as `REJECTED_ENTRIES` declares them.
    """
    duplicates = [found.repeated]

    def kept() -> Iterator[pa.Table]:
        cuts = found.sampled_ids[ROW_GROUP_ROWS::ROW_GROUP_ROWS].to_pylist()
        for materials in merge_runs(found.runs, "mat_id", cuts) if found.runs else ():
            sampled = materials.filter(_are_in(materials["rank"].to_numpy(), found.sampled_ranks))
            kept_rows = _kept_rows(sampled)
            if kept_rows:
                duplicates.append(_as_duplicates_of(sampled, kept_rows))
                sampled = sampled.filter(_are_others(len(sampled), kept_rows))
            yield sampled.select(SAMPLE.names)

    write_pieces(sample, kept(), SAMPLE)
    return pa.concat_tables(duplicates)


def _kept_rows(materials: pa.Table) -> dict[int, int]:
    """Return, for each row to drop, the row with the same identifier that is kept; these are adjacent."""
    mat_ids = materials["mat_id"].to_numpy()
    twins: dict[str, list[int]] = {}
    for i in np.flatnonzero(mat_ids[1:] == mat_ids[:-1]).tolist():
        twins.setdefault(mat_ids[i], [i]).append(i + 1)
    kept_rows: dict[int, int] = {}
    for rows in twins.values():
        contents = [_content(row) for row in materials.take(rows).to_pylist()]
        kept = rows[contents.index(min(contents))]
        kept_rows |= {row: kept for row in rows if row != kept}
    return kept_rows


def _are_others(n_rows: int, rows: Iterable[int]) -> NDArray[np.bool_]:
    """Return for each of some rows whether it is none of these."""
    others = np.ones(n_rows, bool)
    others[list(rows)] = False
    return others


def _as_duplicates_of(materials: pa.Table, kept_rows: Mapping[int, int]) -> pa.Table:
    """Return dropped rows as rejects, each with the place of the one that is kept."""
    dropped = materials.take(list(kept_rows))
    kept = materials.take(list(kept_rows.values()))
    reasons = list(map(_reason, dropped.to_pylist(), kept.to_pylist()))
    return as_duplicates(dropped, reasons)


def _reason(dropped: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    place = place_in_file(kept["source_file"], kept["source_position"])
    advice = "it is the same"
    if _content(dropped) != _content(kept):
        advice = "they differ: if these are different materials, give them different identifiers"
    return f"{DUPLICATE}: {place} is kept; {advice}"


def _content(material: Mapping[str, Any]) -> tuple[str, str, str, str]:
    values = [material[each.name] for each in PREDEFINED]
    return material["structure"], material["formula"], repr(values), material["data"]
