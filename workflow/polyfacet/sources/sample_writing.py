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
from polyfacet.sources.sorted_runs import merge_runs

DUPLICATE = "duplicate mat_id"


@dataclass(frozen=True)
class Found:
    """Contents of the sources."""

    counts: Counter[str]
    # Rejects, as `REJECTED_ENTRIES` declares them, in the order of the parts.
    invalid: pa.Table
    # The identifiers of the sample, in order, and its ranks in ascending order.
    sampled_ids: pa.Array
    sampled_ranks: NDArray[np.uint64]
    # Materials outside the sample whose identifier occurred before, as `REJECTED_ENTRIES` declares them.
    repeated: pa.Table
    # Files with the sampled materials, among others.
    runs: list[Path]
    # Materials per stratum, if the draw is stratified.
    strata: list[dict[str, Any]]


def find_materials(parts: Sequence[Part], folder: Path, draw: Draw, threads: int = 1) -> Found:
    """Read sources and determine which materials are sampled.

    Parameters
    ----------
    parts
        Parts of the sources; their order decides which of several materials outside the sample with one
        identifier is not called a duplicate.
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
    order = np.argsort(ranks, kind="stable")
    is_new = np.ones(len(ranks), bool)
    is_new[order[1:]] = ranks[order[1:]] != ranks[order[:-1]]
    distinct = np.sort(ranks[is_new])
    # The least value of materials with one identifier: it does not depend on the order of the parts.
    values = np.full(len(distinct), np.nan)
    np.fmin.at(values, np.searchsorted(distinct, ranks), eligible["value"].to_numpy())
    sampled_ranks = draw.chosen(distinct, values)
    is_sampled = _are_in(ranks, sampled_ranks)
    counts["duplicate"] = int((~is_new).sum())
    return Found(
        counts=counts,
        invalid=pa.concat_tables([done.invalid for done in passes]),
        sampled_ids=eligible["mat_id"].filter(is_new & is_sampled).combine_chunks().sort(),
        sampled_ranks=sampled_ranks,
        repeated=_as_duplicates(eligible.filter(~is_new & ~is_sampled)),
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


def _as_duplicates(materials: pa.Table, reasons: Sequence[str] | None = None) -> pa.Table:
    """Return materials as rejects."""
    texts = pa.array(reasons or [DUPLICATE] * materials.num_rows, pa.string())
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
    kept = materials.take(list(kept_rows.values())).select(["source_file", "source_position"]).to_pylist()
    places = [place_in_file(row["source_file"], row["source_position"]) for row in kept]
    advice = "if these are different materials, give them different identifiers"
    reasons = [f"{DUPLICATE}: {place} is kept; {advice}" for place in places]
    return _as_duplicates(materials.take(list(kept_rows)), reasons)


def _content(material: dict[str, Any]) -> tuple[str, str, str, str]:
    values = [material[each.name] for each in PREDEFINED]
    return material["structure"], material["formula"], repr(values), material["data"]
