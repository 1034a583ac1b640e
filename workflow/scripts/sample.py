"""Draw a seeded, nested sample of checked materials from raw Alexandria entries."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa

from polyfacet.config.sample import Magnetization
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import scratch_folder, write_text
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.progress import tell
from polyfacet.runtime.rejects import check_rejected_fraction, most_frequent
from polyfacet.sources.alexandria.draw import Draw, Filters
from polyfacet.sources.alexandria.entry_files import entry_files
from polyfacet.sources.alexandria.entry_pass import REJECTED_ENTRIES
from polyfacet.sources.alexandria.sample_writing import find_materials, write_sample


def main(
    sources: list[Path],
    sample: Path,
    rejected: Path,
    summary: Path,
    *,
    n_materials: Annotated[int | Literal["all"], Key("n_materials")],
    seed: Annotated[int, Key("seed")],
    filters: Annotated[Mapping[str, Any], Key("filters")],
    magnetization: Magnetization,
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    threads: Annotated[int, Key("training.threads")] = 1,
) -> None:
    """Draw the sample.

    Parameters
    ----------
    sources
        Entry files, or folders of them.
    sample, rejected, summary
        Outputs: the sampled materials; the rejected entries; counts of read entries and the files left out,
        as JSON.
    n_materials
        Size of the sample, or ``all``.
    seed
        Seed of the sample; samples with the same seed are nested.
    filters
        Fields of `polyfacet.sources.alexandria.Filters`.
    magnetization
        See `polyfacet.materials.crystal_objectives.Calculation`.
    max_rejected_fraction
        Fraction of rejected entries above which the stage fails.
    threads
        Number of files read in parallel.
    """
    size = None if n_materials == "all" else int(n_materials)
    draw = Draw(size, seed, Filters.of(filters), magnetization)
    given = entry_files(sources)
    given.tell_left_out()
    with scratch_folder(sample.with_name(f"{sample.name}.runs")) as folder:
        found = find_materials(given.files, folder, draw, threads)
        counts = found.counts
        reasons = found.invalid["reason"].to_pylist()
        write_table(rejected, found.invalid, REJECTED_ENTRIES)
        check_rejected_fraction(counts["invalid"], counts["read"], max_rejected_fraction, "sample", reasons)
        counts["sampled"] = len(found.sampled_ids)
        _check_size(size, counts, reasons)
        duplicates = write_sample(sample, found)
    rejects = pa.concat_tables([found.invalid, duplicates])
    order = [("source_file", "ascending"), ("source_position", "ascending")]
    write_table(rejected, rejects.sort_by(order), REJECTED_ENTRIES)
    facts = {**dict(sorted(counts.items())), **given.summary()}
    write_text(summary, json.dumps(facts, indent=2) + "\n")


def _check_size(size: int | None, counts: Mapping[str, int], reasons: Sequence[str]) -> None:
    n_sampled = counts["sampled"]
    if n_sampled == 0:
        why = f" The entries were rejected because:\n{most_frequent(reasons)}\n" if reasons else " "
        raise UserError(f"No material is left to sample: {dict(counts)}.{why}Change `sources` or `filters`.")
    if size is not None and n_sampled < size:
        tell(f"sample: {size} materials requested, {n_sampled} available; continuing with those.")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
