"""Draw a seeded, nested sample of checked materials from sources of crystals."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from polyfacet.config.sample import Magnetization
from polyfacet.config.sources import GivenSource
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import write_text
from polyfacet.runtime.progress import tell
from polyfacet.runtime.rejects import most_frequent
from polyfacet.sources.draw import Draw, Filters
from polyfacet.sources.reading import ReadSample, read_sample
from polyfacet.sources.strata import Strata


def main(
    sources: Sequence[GivenSource],
    sample: Path,
    rejected: Path,
    summary: Path,
    *,
    n_materials: Annotated[int | Literal["all"], Key("n_materials")],
    seed: Annotated[int, Key("seed")],
    filters: Annotated[Mapping[str, Any], Key("filters")],
    magnetization: Magnetization,
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    stratify: Mapping[str, Any] | None = None,
    threads: Annotated[int, Key("training.threads")] = 1,
) -> None:
    """Draw the sample.

    Parameters
    ----------
    sources
        Paths, or fields of `polyfacet.config.sources.Source`.
    sample, rejected, summary
        Outputs: the sampled materials; the rejects; counts of what was read and the files left out, as JSON.
    n_materials
        Size of the sample, or ``all``.
    seed
        Seed of the sample; samples with the same seed are nested.
    filters
        Fields of `polyfacet.sources.draw.Filters`.
    magnetization
        See `polyfacet.materials.crystal_objectives.Calculation`.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    stratify
        Fields of `polyfacet.sources.strata.Strata`; None for a random draw.
    threads
        Number of processes that read.
    """
    size = None if n_materials == "all" else int(n_materials)
    read = read_sample(
        sources,
        sample,
        rejected,
        draw=Draw(size, seed, Filters.of(filters), strata=Strata.of(stratify, magnetization)),
        threads=threads,
        magnetization=magnetization,
        max_rejected_fraction=max_rejected_fraction,
    )
    _check_size(size, read)
    write_text(summary, json.dumps(read.facts, indent=2) + "\n")


def _check_size(size: int | None, read: ReadSample) -> None:
    n_sampled = read.counts["sampled"]
    if n_sampled == 0:
        why = f" The entries were rejected because:\n{most_frequent(read.reasons)}\n" if read.reasons else " "
        raise UserError(
            f"No material is left to sample: {dict(read.counts)}.{why}Change `sources` or `filters`."
        )
    if size is not None and n_sampled < size:
        tell(f"sample: {size} materials requested, {n_sampled} available; continuing with those.")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
