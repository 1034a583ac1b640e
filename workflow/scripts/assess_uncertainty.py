"""Measure how often conformal intervals hold, and how well zero is told from not zero where that matters."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from polyfacet.config.composition import GreyLevelRows
from polyfacet.evaluation.held_out import HeldOut
from polyfacet.evaluation.interval_coverage import INTERVALS, assess_intervals
from polyfacet.evaluation.samples import read_samples
from polyfacet.evaluation.tables import CELLS
from polyfacet.evaluation.zeros import ZEROS, assess_zeros
from polyfacet.runtime.parquet import read_table, write_table


def main(
    samples: list[Path],
    cells_table: Path,
    predictions: Path,
    intervals: Path,
    zeros: Path,
    *,
    sources: Sequence[str],
    with_zero: Mapping[str, Mapping[str, Sequence[str]]],
    fit: GreyLevelRows = "train",
) -> None:
    """Write the tables.

    Parameters
    ----------
    samples
        Table of the materials of each of ``sources``.
    cells_table, predictions
        Facts and predictions of all cells.
    intervals, zeros
        Outputs: coverage and width of the intervals of each cell; scores of the decision between zero and not
        zero.
    sources
        Sources of the materials.
    with_zero
        Source to those of its objectives whose zero has a meaning, and what materials are called whose value
        is zero, and all others.
    fit
        Rows that the grey levels of composition images are fitted on.
    """
    held_out = HeldOut.read(predictions, read_table(cells_table, CELLS), read_samples(sources, samples))
    tested = held_out.tested()
    write_table(intervals, assess_intervals(held_out, tested, fit), INTERVALS)
    write_table(zeros, assess_zeros(held_out, tested, with_zero), ZEROS)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
