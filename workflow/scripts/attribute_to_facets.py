"""Divide the reduction of the loss among the facets."""

from pathlib import Path

from polyfacet.evaluation.contributions import CONTRIBUTIONS, INTERACTIONS, attribute
from polyfacet.evaluation.losses import VALIDATION, losses_on_test, with_validation_losses
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.runtime.parquet import read_table, write_table


def main(cells_table: Path, validation: Path, scores: Path, contributions: Path, interactions: Path) -> None:
    """Write the contributions of the facets and of their pairs.

    Parameters
    ----------
    cells_table, validation, scores
        Facts of all cells, their losses on the validation part, and their scores.
    contributions, interactions
        Outputs: Shapley values of the facets, and interactions of their pairs.
    """
    cells = read_table(cells_table, CELLS)
    validated = with_validation_losses(cells, read_table(validation, VALIDATION))
    shares, pairs = attribute(cells, validated, losses_on_test(read_table(scores, SCORES)))
    write_table(contributions, shares, CONTRIBUTIONS)
    write_table(interactions, pairs, INTERACTIONS)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
