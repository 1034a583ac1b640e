"""Choose the best cells on validation rows, and test their differences over the repeats."""

from pathlib import Path

from polyfacet.evaluation.choices import CHOICES, choose
from polyfacet.evaluation.losses import candidates, losses_on_test, read_validation_rows, validation_losses
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.evaluation.verdicts import TESTS, compare_roles
from polyfacet.runtime.parquet import read_table, write_table


def main(cells_table: Path, predictions: Path, scores: Path, choices: Path, tests: Path) -> None:
    """Write the choices and the tests.

    Parameters
    ----------
    cells_table, predictions, scores
        Facts, predictions and scores of all cells.
    choices
        Output: the cell chosen for each role, objective and repeat.
    tests
        Output: verdicts on the differences between roles.
    """
    cells, validation = read_table(cells_table, CELLS), read_validation_rows(predictions)
    validated = validation_losses(candidates(cells, validation), validation)
    chosen = choose(validated, losses_on_test(read_table(scores, SCORES)))
    write_table(choices, chosen[CHOICES.names], CHOICES)
    write_table(tests, compare_roles(chosen, cells), TESTS)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
