"""Draw the MASE heatmap and the MAE bars."""

from pathlib import Path

from polyfacet.reporting.figures import mae_bars, mase_heatmap, save
from polyfacet.reporting.results import CELLS, answer_cells, pivot
from polyfacet.runtime.parquet import read_table


def main(cells: Path, heatmap: Path, bars: Path) -> None:
    """Draw the figures from the table of all cells to the PNG files ``heatmap`` and ``bars``."""
    frame = read_table(cells, CELLS)
    save(mase_heatmap(pivot(frame, "mase"), answer_cells(frame)), heatmap)
    save(mae_bars(pivot(frame, "mae")), bars)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
