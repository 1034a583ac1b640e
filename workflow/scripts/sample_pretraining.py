"""Draw the materials outside the sample that the network of the structure facet is pretrained on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from polyfacet.config.sample import Magnetization
from polyfacet.config.sources import GivenSource
from polyfacet.materials.disordered_compositions import KnownCompositions
from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.progress import tell
from polyfacet.runtime.rejects import most_frequent
from polyfacet.sources.draw import Draw, Filters
from polyfacet.sources.reading import read_sample


def main(
    sources: Sequence[GivenSource],
    sample: Path,
    pretraining: Path,
    summary: Path,
    *,
    n_materials: Annotated[int, Key("graphs.pretrain")],
    seed: Annotated[int, Key("seed")],
    filters: Annotated[Mapping[str, Any], Key("filters")],
    magnetization: Magnetization,
    threads: Annotated[int, Key("training.threads")] = 1,
) -> None:
    """Draw the materials that follow the sample in its order.

    Formulas that occur in the sample are left out, whatever their part, so that one draw serves all splits.

    Parameters
    ----------
    sources
        Paths, or fields of `polyfacet.config.sources.Source`; rejects are counted when the sample is drawn.
    sample
        Table of the sampled materials.
    pretraining, summary
        Outputs: the materials, a table like the sample; counts of what was read, as JSON.
    n_materials
        Number of materials to draw.
    seed, filters, magnetization
        Those of the sample.
    threads
        Number of processes that read.

    Raises
    ------
    UserError
        If no material is left.
    """
    earlier = read_table(sample, SAMPLE, columns=["mat_id", "formula", "n_sites"])
    draw = Draw(
        n_materials,
        seed,
        Filters.of(filters),
        drawn_ids=frozenset(earlier["mat_id"]),
        drawn_compositions=KnownCompositions(earlier["formula"], earlier["n_sites"]),
    )
    read = read_sample(sources, pretraining, None, draw=draw, threads=threads, magnetization=magnetization)
    counts = {("drawn" if name == "sampled" else name): n for name, n in read.counts.items()}
    _check_size(n_materials, counts, read.reasons)
    write_text(summary, json.dumps(dict(sorted(counts.items())), indent=2) + "\n")


def _check_size(n_materials: int, counts: Mapping[str, int], reasons: Sequence[str]) -> None:
    n_drawn = counts["drawn"]
    if n_drawn == 0:
        why = f" The entries were rejected because:\n{most_frequent(reasons)}\n" if reasons else " "
        raise UserError(
            f"No material outside the sample is left to pretrain on: {dict(counts)}.{why}"
            "Set graphs.pretrain to 0 or change `sources`."
        )
    if n_drawn < n_materials:
        tell(f"pretraining: {n_materials} materials requested, {n_drawn} available; continuing with those.")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
