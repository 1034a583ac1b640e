"""Combine the dataset's parts into one table, and write its data card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from polyfacet.materials.objective_statistics import STATISTICS
from polyfacet.reporting.dataset_card import dataset_card
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.progress import tell
from polyfacet.training.dataset import write_dataset_metadata


def main(
    parts: list[Path], metadata: Path, *, statistics: Path, card: Path, about: Mapping[str, Any]
) -> None:
    """List the parts in Parquet's own format, describe them, and remove parts of a run with more shards.

    Parameters
    ----------
    parts
        Tables, one per shard, in one folder.
    metadata
        Output: ``_metadata`` in that folder.
    statistics
        Statistics of the objectives.
    card
        Output: the data card, in Markdown.
    about
        See `polyfacet.reporting.dataset_card.dataset_card`.
    """
    names = {part.name for part in parts}
    for path in [path for path in metadata.parent.glob("*.parquet") if path.name not in names]:
        tell(f"{path}: removed, as it belongs to no shard of this run")
        path.unlink()
    write_dataset_metadata(metadata, sorted(parts))
    rows = pd.concat([read_table(part, columns=["part", "facets"]) for part in sorted(parts)])
    described = read_table(statistics, STATISTICS)
    write_text(card, dataset_card(pq.read_schema(parts[0]), rows, described, about))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
