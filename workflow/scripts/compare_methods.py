"""Choose the best cells on validation rows, and test their differences over the repeats."""

from pathlib import Path

from polyfacet.evaluation.choices import CHOICES, choose
from polyfacet.evaluation.losses import VALIDATION, losses_on_test, with_validation_losses
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.evaluation.verdicts import TESTS, compare_roles
from polyfacet.runtime.parquet import read_table, write_table


def main(cells_table: Path, validation: Path, scores: Path, choices: Path, tests: Path) -> None:
    """Write the choices and the tests.

    Parameters
    ----------
    cells_table, validation, scores
        Facts of all cells, their losses on the validation part, and their scores.
    choices
        Output: the cell chosen for each role, objective and repeat.
    tests
        Output: verdicts on the differences between roles.
    """
    cells = read_table(cells_table, CELLS)
    validated = with_validation_losses(cells, read_table(validation, VALIDATION))
    chosen = choose(validated, losses_on_test(read_table(scores, SCORES)))
    write_table(choices, chosen[CHOICES.names], CHOICES)
    write_table(tests, compare_roles(chosen, cells), TESTS)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
