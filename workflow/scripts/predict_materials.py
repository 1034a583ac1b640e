"""Predict the materials of a shard with a bundle."""

from pathlib import Path
from typing import Annotated

import pandas as pd

from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.progress import tell
from polyfacet.runtime.sharding import read_shard
from polyfacet.use.prediction.bundle import BATCH, Bundle
from polyfacet.use.prediction.tables import LEFT_OUT, NEW_MATERIALS


def main(
    materials: Path,
    predictions: Path,
    rejected: Path,
    *,
    bundle: str,
    shard: int,
    n_shards: Annotated[int, Key("predict.shards")],
    browser: str | None = None,
    threads: Annotated[int, Key("training.threads")] = 1,
) -> None:
    """Predict one shard.

    Parameters
    ----------
    materials
        Table of all new materials.
    predictions, rejected
        Outputs: the predictions; materials without one, with reasons.
    bundle
        Folder of the bundle.
    shard, n_shards
        The materials whose hash falls into this shard.
    browser
        Path of Chromium; searched for if not given.
    threads
        Number of processor cores to use.
    """
    opened = Bundle.open(bundle, threads=threads, browser=browser)
    mine = read_shard(materials, NEW_MATERIALS, int(shard), n_shards)
    batches = [mine[start : start + BATCH] for start in range(0, len(mine), BATCH)]
    found = [opened.predict_materials(batch) for batch in batches]
    empty = [opened.schema.empty_table().to_pandas()], [LEFT_OUT.empty_table().to_pandas()]
    predicted = pd.concat([each.predictions for each in found] or empty[0])
    left_out = pd.concat([each.left_out for each in found] or empty[1])
    write_table(predictions, predicted, opened.schema)
    write_table(rejected, left_out, LEFT_OUT)
    tell(f"predictions {shard}: {len(predicted)} predicted, {len(left_out)} left out")
    for note in opened.notes:
        tell(f"Note: {note}")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
