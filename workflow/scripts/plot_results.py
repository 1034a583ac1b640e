"""Draw the MASE heatmap, the MAE bars and the comparison of methods."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polyfacet.evaluation.scores import compare
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.reporting.comparison_figure import comparison_figure
from polyfacet.reporting.figures import mae_bars, mase_heatmap, save
from polyfacet.reporting.grids import grids
from polyfacet.runtime.parquet import read_table


def main(
    cells_table: Path,
    scores: Path,
    heatmap: Path,
    bars: Path,
    comparison: Path,
    *,
    published: Sequence[Mapping[str, Any]],
) -> None:
    """Draw the figures.

    Parameters
    ----------
    cells_table, scores
        Facts and scores of all cells.
    heatmap, bars, comparison
        Outputs, PNG files.
    published
        Published scores, entries of ``report.published`` of a configuration.
    """
    cells = read_table(cells_table, CELLS)
    compared = compare(read_table(scores, SCORES), reference=None)
    numbers = [grid for grid in grids(cells, compared) if grid.kind == "numbers"]
    save(mase_heatmap(numbers), heatmap)
    save(mae_bars(numbers), bars)
    save(comparison_figure(cells, compared, published), comparison)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
