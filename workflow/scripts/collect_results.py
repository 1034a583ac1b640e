"""Collect the cards and predictions of all cells in two tables, and score them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.scores import compare, scores_of_cell, with_means_over_objectives
from polyfacet.evaluation.tables import CELLS, SCORES, cell_row, order_of_combination
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_arrow, write_pieces, write_table
from polyfacet.training.cards import CARD_FILE, read_card
from polyfacet.training.cells import PREDICTIONS


def main(
    cells: list[Path],
    cells_table: Path,
    predictions: Path,
    scores: Path,
    *,
    cells_csv: Path,
    scores_csv: Path,
    comparison_csv: Path,
    reference: str | None,
    objectives: Mapping[str, Mapping[str, Mapping[str, str]]],
) -> None:
    """Write the tables.

    Parameters
    ----------
    cells
        Folders that hold cells (``card.json`` and ``predictions.parquet``), also in subfolders.
    cells_table, predictions, scores
        Outputs: facts of every cell, predictions of all cells, scores on the test parts, including failed
        cells.  The predictions of only one cell at a time are in memory.
    cells_csv, scores_csv, comparison_csv
        Outputs: the same cells and scores, and the mean, spread and wins of the scores over the repeats.
    reference
        Method that the others are compared with; None for none.
    objectives
        Source to its objectives, in the order of tables and figures, with the label and unit of each.
    """
    found_cells = [cell for folder in cells for cell in _cells_in(folder, objectives)]
    rows = [row for _, row in found_cells]
    found: list[dict[str, object]] = []

    def pieces() -> Iterator[pa.Table]:
        for card, row in found_cells:
            table = read_arrow(card.with_name("predictions.parquet"), PREDICTIONS)
            found.extend(scores_of_cell(row, table.to_pandas()))
            yield table.cast(PREDICTIONS)

    write_table(cells_table, rows, CELLS)
    write_pieces(predictions, pieces(), PREDICTIONS)
    # If all cells failed, nothing else shows that a missing value is a number.
    frame = pd.DataFrame(found, columns=SCORES.names).astype({"value": float})
    frame = with_means_over_objectives(frame)
    write_table(scores, frame, SCORES)
    write_text(cells_csv, pd.DataFrame(rows, columns=CELLS.names).to_csv(index=False))
    write_text(scores_csv, frame.to_csv(index=False))
    write_text(comparison_csv, compare(frame, reference).to_csv(index=False))


def _cells_in(
    folder: Path, objectives: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> list[tuple[Path, dict[str, Any]]]:
    """Read the cards of a folder; order their rows by combination, fewest facets first, and objective."""
    cards = [(path, read_card(path)) for path in _cards(folder)]
    found = [(path, cell_row(card, objectives[card.source][card.objective])) for path, card in cards]
    return sorted(
        found,
        key=lambda cell: (
            order_of_combination(cell[1]["combination"]),
            list(objectives[cell[1]["source"]]).index(cell[1]["objective"]),
        ),
    )


def _cards(folder: Path) -> Iterator[Path]:
    """Yield the cards below a folder, but none inside a cell: its model may hold a file of that name."""
    card = folder / CARD_FILE
    if card.is_file():
        yield card
        return
    for inner in sorted(folder.iterdir()):
        if inner.is_dir():
            yield from _cards(inner)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
