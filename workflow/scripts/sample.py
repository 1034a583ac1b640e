"""Draw a seeded, nested sample of checked materials from raw Alexandria entries."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from polyfacet.entries import entry_files, read_entries
from polyfacet.errors import UserError
from polyfacet.files import write_text
from polyfacet.materials import SAMPLE, InvalidEntryError, material_from_entry
from polyfacet.progress import tell, track
from polyfacet.rejects import check_rejected_fraction
from polyfacet.sampling import Filters, Sampler, Source
from polyfacet.tables import column, write_table
from polyfacet.targets import Magnetization

REJECTED_ENTRIES = pa.schema(
    [
        column("source_file", pa.string(), "file of the entry"),
        column("source_position", pa.int64(), "position of the entry in that file, from 0"),
        column(
            "mat_id", pa.string(), "identifier that the entry states, cut to 80 characters", nullable=True
        ),
        column("reason", pa.string(), "why the entry cannot be used"),
    ]
)


def main(
    sources: list[Path],
    sample: Path,
    rejected: Path,
    summary: Path,
    *,
    n_materials: int | str,
    seed: int,
    filters: Mapping[str, Any],
    magnetization: Magnetization,
    max_rejected_fraction: float,
) -> None:
    """Draw the sample.

    Parameters
    ----------
    sources
        Entry files, or folders of them.
    sample, rejected, summary
        Outputs: the sampled materials; the entries that cannot be used; counts of what was read, as JSON.
    n_materials
        Size of the sample, or ``all``.
    seed
        Samples of one seed are nested.
    filters
        Fields of `polyfacet.sampling.Filters`.
    magnetization
        See `polyfacet.targets.derive_targets`.
    max_rejected_fraction
        Share of unusable entries above which the stage stops.
    """
    criteria = Filters.of(filters)
    sampler = Sampler(None if n_materials == "all" else int(n_materials), seed)
    rejects: list[dict[str, Any]] = []
    counts: Counter[str] = Counter(read=0, invalid=0, duplicate=0)
    for path in entry_files(sources):
        for position, entry in track(read_entries(path), f"entries of {path.name}"):
            counts["read"] += 1
            try:
                material = material_from_entry(entry, magnetization)
            except InvalidEntryError as error:
                counts["invalid"] += 1
                rejects.append(_reject(Source(str(path), position), _stated_id(entry), str(error)))
                continue
            failed = criteria.failed_by(material)
            if failed:
                counts[f"filtered by {failed}"] += 1
                continue
            duplicate = sampler.offer(material, Source(str(path), position))
            if duplicate:
                counts["duplicate"] += 1
                rejects.append(_reject(duplicate, material.mat_id, "duplicate mat_id"))
    rejects.sort(key=lambda row: (row["source_file"], row["source_position"]))
    write_table(rejected, rejects, REJECTED_ENTRIES)
    invalid = [row["reason"] for row in rejects if row["reason"] != "duplicate mat_id"]
    check_rejected_fraction(len(invalid), counts["read"], max_rejected_fraction, "sample", invalid)
    sampled = sampler.sample()
    _check_size(len(sampled), n_materials, counts)
    write_table(sample, [material.row(s.file, s.position) for material, s in sampled], SAMPLE)
    counts["sampled"] = len(sampled)
    write_text(summary, json.dumps(dict(sorted(counts.items())), indent=2) + "\n")


def _stated_id(entry: Any) -> str | None:
    """Give the identifier of an entry that failed its check, as far as it has one."""
    try:
        return str(entry["data"]["mat_id"])[:80]
    except (TypeError, KeyError, IndexError):
        return None


def _reject(source: Source, mat_id: str | None, reason: str) -> dict[str, Any]:
    return {
        "source_file": source.file,
        "source_position": source.position,
        "mat_id": mat_id,
        "reason": reason,
    }


def _check_size(n_sampled: int, n_materials: int | str, counts: Mapping[str, int]) -> None:
    if n_sampled == 0:
        raise UserError(f"No material is left to sample: {dict(counts)}. Mend `sources` or `filters`.")
    if n_materials != "all" and n_sampled < int(n_materials):
        tell(f"sample: {n_materials} materials asked for, {n_sampled} are there; going on with those.")


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
