"""Divide the reduction of the loss among the facets."""

from pathlib import Path

from polyfacet.evaluation.contributions import CONTRIBUTIONS, INTERACTIONS, attribute
from polyfacet.evaluation.losses import candidates, losses_on_test, read_validation_rows, validation_losses
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.runtime.parquet import read_table, write_table


def main(cells_table: Path, predictions: Path, scores: Path, contributions: Path, interactions: Path) -> None:
    """Write the contributions of the facets and of their pairs.

    Parameters
    ----------
    cells_table, predictions, scores
        Facts, predictions and scores of all cells.
    contributions, interactions
        Outputs: Shapley values of the facets, and interactions of their pairs.
    """
    cells, validation = read_table(cells_table, CELLS), read_validation_rows(predictions)
    validated = validation_losses(candidates(cells, validation), validation)
    shares, pairs = attribute(cells, validated, losses_on_test(read_table(scores, SCORES)))
    write_table(contributions, shares, CONTRIBUTIONS)
    write_table(interactions, pairs, INTERACTIONS)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
