"""Collect the cards and predictions of all cells in two tables, and score them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polyfacet.evaluation.controls import Untrained, untrained_facets
from polyfacet.evaluation.formulas import Formulas, formulas_of
from polyfacet.evaluation.leakage import Trainings
from polyfacet.evaluation.losses import PREDICTED, VALIDATION, candidates, validation_losses
from polyfacet.evaluation.scoring import SCORED, score
from polyfacet.evaluation.tables import CELLS, KEYS, SCORES, SUMMARY, cell_row, order_of_combination
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import column_names, read_arrow, read_table, write_pieces, write_table
from polyfacet.runtime.records import read_record
from polyfacet.splits.parts import TEST, VALID
from polyfacet.training.cards import CARD_FILE, Card, read_card
from polyfacet.training.cells import PREDICTIONS

Shown = Mapping[str, Mapping[str, Mapping[str, str]]]


def main(
    cells: list[Path],
    samples: list[Path],
    cells_table: Path,
    predictions: Path,
    validation: Path,
    scores: Path,
    summary: Path,
    *,
    reference: str | None,
    objectives: Shown,
    forms: Mapping[str, str] = MappingProxyType({}),
    seed: Annotated[int, Key("seed")] = 0,
    trainings: list[Path] | None = None,
    trained_in: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the tables.

    Parameters
    ----------
    cells
        Folders that hold cells (``card.json`` and ``predictions.parquet``), also in subfolders.
    samples
        Table of the materials of each source, in the order of ``objectives``.
    cells_table, predictions, validation, scores, summary
        Outputs: facts of every cell, predictions of all cells, losses on the validation parts, scores on the
        test parts, including failed cells, and their means over the repeats.  In memory are the predictions
        for the validation and test parts, and those of one cell at a time.
    reference
        Method that the others are compared with; None for none.
    objectives
        Source to its objectives, in the order of tables and figures, with the label and unit of each.
    forms
        Facet to the form of it that is used where a combination names none.
    seed
        Seed of the intervals.
    trainings
        Records of the networks and encodings that facets come from.
    trained_in
        ``source``, ``split`` and ``repeat`` of each of ``trainings``.
    """
    found = [card for folder in cells for card in _cards_in(folder, objectives)]
    rows = _rows([card for _, card in found], objectives, forms, _untrained(trainings or [], trained_in))
    formulas = {source: _formulas(path) for source, path in zip(objectives, samples, strict=True)}
    tested: list[pd.DataFrame] = []
    validated: list[pa.Table] = []

    def pieces() -> Iterator[pa.Table]:
        for path, card in found:
            table = read_arrow(path.with_name("predictions.parquet"), PREDICTIONS)
            tested.append(_tested(table, formulas[card.source]))
            validated.append(table.filter(pc.field("part") == VALID).select([*KEYS, "mat_id", *PREDICTED]))
            yield table.cast(PREDICTIONS)

    write_table(cells_table, rows, CELLS)
    write_pieces(predictions, pieces(), PREDICTIONS)
    write_table(validation, _validation_losses(rows, pa.concat_tables(validated)), VALIDATION)
    scored, means = score(rows, tested, formulas, reference, seed)
    write_table(scores, scored, SCORES)
    write_table(summary, means, SUMMARY)


def _formulas(sample: Path) -> Formulas:
    """Find the formulas of a source; only those of tables may be rounded, and only crystals have sites."""
    is_crystals = "n_sites" in column_names(sample)
    columns = ["mat_id", "formula", *(["n_sites"] if is_crystals else [])]
    return formulas_of(read_table(sample, columns=columns), rounded=not is_crystals)


def _tested(predictions: pa.Table, formulas: Formulas) -> pd.DataFrame:
    """Return the predictions for the test part, by position of the material in its source."""
    test = predictions.filter(pc.field("part") == TEST)
    return (
        test.select(SCORED).to_pandas().set_index(formulas.materials.get_indexer(test["mat_id"].to_pylist()))
    )


def _validation_losses(rows: list[dict[str, Any]], validated: pa.Table) -> pd.DataFrame:
    cells, predicted = pd.DataFrame(rows, columns=CELLS.names), validated.to_pandas()
    return validation_losses(candidates(cells, predicted), predicted)


def _untrained(trainings: Sequence[Path], trained_in: Sequence[Mapping[str, Any]]) -> Untrained:
    """Return the facets whose network or encoding is untrained, by source, split and repeat."""
    found: dict[tuple[str, str, int], set[str]] = {}
    for path, place in zip(trainings, trained_in, strict=True):
        record = read_record(path, Trainings)
        if record.is_control:
            found.setdefault((place["source"], place["split"], place["repeat"]), set()).add(record.facet)
    return found


def _rows(
    cards: Sequence[Card], objectives: Shown, forms: Mapping[str, str], untrained: Untrained
) -> list[dict[str, Any]]:
    """Return the rows of ``CELLS``."""
    repeats: dict[tuple[str, str, str], set[int]] = {}
    for card in cards:
        repeats.setdefault((card.source, card.split, card.method), set()).add(card.repeat)
    return [
        cell_row(
            card,
            objectives[card.source][card.objective],
            forms,
            len(repeats[card.source, card.split, card.method]),
            own,
        )
        for card, own in zip(cards, untrained_facets(cards, untrained), strict=True)
    ]


def _cards_in(folder: Path, objectives: Shown) -> list[tuple[Path, Card]]:
    """Read the cards of a folder; order them by combination, fewest facets first, and objective."""
    return sorted(
        ((path, read_card(path)) for path in _cards(folder)),
        key=lambda found: (
            order_of_combination(found[1].combination),
            list(objectives[found[1].source]).index(found[1].objective),
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
