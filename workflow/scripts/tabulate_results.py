"""Write the MAE table and the MASE table, as CSV and as Markdown."""

from pathlib import Path

from polyfacet.materials.targets import Target
from polyfacet.reporting.results import CELLS, answer_cells, pivot, to_markdown, with_best
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_table


def main(cells: Path, mae_csv: Path, mae_md: Path, mase_csv: Path, mase_md: Path) -> None:
    """Write the tables.

    Parameters
    ----------
    cells
        Table of all cells.
    mae_csv, mae_md, mase_csv, mase_md
        Outputs: rows are facet combinations and dummy predictors, columns targets; the CSV files end in a
        row that names the best row of each target, the Markdown files have it in bold.
    """
    frame = read_table(cells, CELLS)
    flagged = answer_cells(frame)
    for metric, csv, markdown in (("mae", mae_csv, mae_md), ("mase", mase_csv, mase_md)):
        table = pivot(frame, metric)
        units = {name: Target(name).facts.unit for name in table.columns} if metric == "mae" else {}
        write_text(csv, with_best(table).to_csv(index_label="facets"))
        write_text(markdown, to_markdown(table, flagged, units))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
