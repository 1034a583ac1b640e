"""Read sources of crystals of any format into the table of a sample."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from polyfacet.config.sample import Magnetization
from polyfacet.config.sources import Format, GivenSource, Source
from polyfacet.runtime.files import scratch_folder
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.rejects import check_rejected_fraction
from polyfacet.sources.alexandria.entry_files import entry_files
from polyfacet.sources.alexandria.entry_part import EntryPart
from polyfacet.sources.detection import check_keys, format_of
from polyfacet.sources.draw import Draw
from polyfacet.sources.items import Part
from polyfacet.sources.listing import Listing
from polyfacet.sources.reading_pass import REJECTED_ENTRIES
from polyfacet.sources.sample_writing import find_materials, write_sample
from polyfacet.sources.structures.distinct_ids import with_distinct_ids
from polyfacet.sources.structures.extxyz import open_extended_xyz
from polyfacet.sources.structures.files import open_files
from polyfacet.sources.structures.matbench import is_matbench, open_matbench
from polyfacet.sources.structures.numbered_ids import names_of_tables
from polyfacet.sources.structures.opened import OpenedSource
from polyfacet.sources.structures.tables import open_table

# Of files of many crystals, each with the name by which it calls those without identifiers.
OPENERS: Mapping[Format, Callable[[Source, str], OpenedSource]] = {
    "table": open_table,
    "matbench": open_matbench,
    "extxyz": open_extended_xyz,
}


@dataclass(frozen=True)
class ReadSample:
    """What was read.

    Attributes
    ----------
    counts
        Numbers of materials: ``read``, ``invalid``, ``duplicate``, ``sampled``, and left out, by reason.
    reasons
        Why materials are invalid, once for each.
    listing
        The files that were read, and those that were left out.
    strata
        Available and sampled materials per stratum, if the draw is stratified.
    """

    counts: Counter[str]
    reasons: list[str]
    listing: Listing
    strata: list[dict[str, Any]]

    @property
    def facts(self) -> dict[str, Any]:
        """The counts and the files left out, for JSON."""
        strata = {"strata": self.strata} if self.strata else {}
        return {**dict(sorted(self.counts.items())), **strata, **self.listing.summary()}


def read_sample(
    sources: Sequence[GivenSource],
    sample: Path,
    rejected: Path | None,
    *,
    draw: Draw,
    threads: int = 1,
    magnetization: Magnetization = "absolute",
    need_properties: bool = True,
    max_rejected_fraction: float = 1.0,
    distinct_ids: bool = False,
) -> ReadSample:
    """Read sources, check every material, and write those that are drawn.

    Parameters
    ----------
    sources
        Paths of files and folders, or mappings; their order does not matter.
    sample
        Output: the drawn materials, as `polyfacet.materials.material.SAMPLE` declares them, by identifier.
    rejected
        Output: what cannot be used, with reasons, as `REJECTED_ENTRIES` declares it; None to leave it out.
    draw
        Which materials are drawn; ``Draw(None, 0)`` draws all.
    threads
        Number of processes that read; the result does not depend on it.
    magnetization, need_properties
        How the predefined objectives of Alexandria's entries are derived, and whether each entry must have
        them all; see `polyfacet.sources.alexandria.material.material_from_entry`.
    max_rejected_fraction
        Fraction of rejects above which nothing is written but ``rejected``.
    distinct_ids
        Whether structure files of the same name are different materials, which their folders tell apart.

    Raises
    ------
    UserError
        If a source is missing or damaged, or too much is rejected.
    """
    parts, listing = _opened(sources, magnetization, need_properties)
    listing.tell_left_out()
    if distinct_ids:
        parts = with_distinct_ids(parts)
    with scratch_folder(sample.with_name(f"{sample.name}.runs")) as folder:
        found = find_materials(parts, folder, draw, threads)
        counts, reasons = found.counts, found.invalid["reason"].to_pylist()
        if rejected is not None:
            unusable = pa.concat_tables([found.invalid, found.different_crystals])
            write_table(rejected, unusable, REJECTED_ENTRIES)
            found.repeats.tell()
            causes = unusable["reason"].to_pylist()
            check_rejected_fraction(len(causes), counts["read"], max_rejected_fraction, "sample", causes)
        counts["sampled"] = len(found.sampled_ids)
        if draw.strata is not None and counts["sampled"]:
            draw.strata.check_known(found.strata)
        duplicates = write_sample(sample, found)
    if rejected is not None:
        rejects = pa.concat_tables([found.invalid, duplicates])
        order = [("source_file", "ascending"), ("source_position", "ascending")]
        write_table(rejected, rejects.sort_by(order), REJECTED_ENTRIES)
    return ReadSample(counts, reasons, listing, found.strata)


def _opened(
    sources: Sequence[GivenSource], magnetization: Magnetization, need_properties: bool
) -> tuple[list[Part], Listing]:
    """List the parts of all sources, in an order that does not depend on that of the sources."""
    by_format: dict[Format, list[Source]] = {}
    for source in map(Source.of, sources):
        by_format.setdefault(_format(source), []).append(source)
    parts: list[Part] = []
    listings = []
    entries = by_format.pop("alexandria", [])
    if entries or not by_format:
        listings.append(entry_files([Path(source.path) for source in entries]))
        parts += [EntryPart(path, magnetization, need_properties) for path in listings[-1].files]
    names = names_of_tables(Path(source.path) for kind in OPENERS for source in by_format.get(kind, []))
    for kind in sorted(by_format):
        for source in sorted(by_format[kind], key=lambda each: each.path):
            opened = (
                open_files(source) if kind == "files" else OPENERS[kind](source, names[Path(source.path)])
            )
            listings.append(opened.listing)
            parts += opened.parts
    return parts, Listing.joined(listings)


def _format(source: Source) -> Format:
    """Return the format of a source; that of JSON is seen only inside."""
    found = format_of(source)
    is_json = found == "alexandria" and source.format is None and Path(source.path).is_file()
    if is_json and is_matbench(Path(source.path)):
        found = "matbench"
    check_keys(source, found)
    return found
