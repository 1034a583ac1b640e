"""Collect the cards of all cells, and of the dummy predictors, in one table."""

from pathlib import Path

from polyfacet.reporting.results import CELLS, cell_row
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.training.cards import read_card


def main(cards: list[Path], baseline_cards: list[Path], cells: Path, cells_csv: Path) -> None:
    """Merge the cards.

    Parameters
    ----------
    cards
        Cards of the trained cells.
    baseline_cards
        Cards of the dummy predictors, in folders named like the predictor: ``<baseline>/<target>/card.json``.
    cells, cells_csv
        Outputs: a row a cell; failed cells are rows like the others.
    """
    rows = [cell_row(read_card(path)) for path in cards]
    rows += [cell_row(read_card(path), baseline=path.parents[1].name) for path in baseline_cards]
    write_table(cells, rows, CELLS)
    write_text(cells_csv, read_table(cells, CELLS).to_csv(index=False))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
