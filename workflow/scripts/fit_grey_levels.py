"""Fit the grey levels of the composition images of a split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from polyfacet.facets.compimage.grey_levels import GreyLevels
from polyfacet.facets.compimage.statistics_table import read_statistics
from polyfacet.facets.registry import COMPIMAGE
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.hidden_facets import HiddenFacets
from polyfacet.splits.parts import SPLIT, TRAIN


def main(
    statistics: list[Path],
    split: Path,
    grey_levels: Path,
    *,
    fit: Literal["train", "all"],
    origin: dict[str, Any],
    hidden: Mapping[str, Any] | None = None,
) -> None:
    """Fit the levels of one split.

    Parameters
    ----------
    statistics
        Tables of statistics, one per shard; only one at a time is in memory.
    split
        Part of each material.
    grey_levels
        Output, JSON.
    fit
        Whether levels are fitted on the training part or, as in the paper, on all materials.
    origin
        Information for the output on how the statistics were computed.
    hidden
        Fields of `polyfacet.splits.hidden_facets.HiddenFacets`: levels are not fitted on hidden images.
    """
    parts = read_table(split, SPLIT).set_index("mat_id")["part"]
    is_fitted_on = pd.Series(fit == "all", parts.index) | (parts == TRAIN)
    if excluded := HiddenFacets.from_settings(hidden):
        is_fitted_on &= excluded.shown(parts, COMPIMAGE.name)
    extremes, n_fitted = [], 0
    for table in statistics:
        mat_ids, values = read_statistics(table)
        fitted_on = is_fitted_on.reindex(list(mat_ids), fill_value=fit == "all").to_numpy(dtype=bool)
        if fitted_on.any():
            # Levels follow from the extremes, and the overall extremes are those of the shards' extremes.
            extremes += [np.fmin.reduce(values[fitted_on]), np.fmax.reduce(values[fitted_on])]
            n_fitted += int(fitted_on.sum())
    if not extremes:
        raise UserError("composition images: the training part has no material to fit grey levels on.")
    GreyLevels.fit(np.stack(extremes)).save(grey_levels, **origin, fit=fit, n_fitted=n_fitted)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
