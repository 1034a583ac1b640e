"""Collect the scores of all cells, and compare the methods over the repeats of the splits."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from polyfacet.evaluation.scores import SCORES, collect_scores, compare, with_means_over_targets
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import write_table


def main(
    cells: list[Path],
    scores: Path,
    scores_csv: Path,
    comparison_csv: Path,
    *,
    targets: Sequence[str],
    methods: Sequence[str],
    reference: str | None,
) -> None:
    """Write the scores and the comparison.

    Parameters
    ----------
    cells
        Folders of cells, see `polyfacet.evaluation.scores.collect_scores`.
    scores, scores_csv, comparison_csv
        Outputs: every score of every cell; their mean, spread and wins over the repeats.
    targets, methods
        Their order in tables and figures.
    reference
        Method that the others are held against; None for none.
    """
    rows = [row for folder in cells for row in collect_scores(folder)]
    # Where all cells failed, nothing else says that a missing value is a number.
    frame = pd.DataFrame(rows, columns=SCORES.names).astype({"value": float})
    frame = with_means_over_targets(frame)
    place = {name: index for index, name in enumerate([*targets, *methods])}
    frame = frame.sort_values(["target", "method"], key=lambda names: names.map(place), kind="stable")
    write_table(scores, frame, SCORES)
    write_text(scores_csv, frame.to_csv(index=False))
    write_text(comparison_csv, compare(frame, reference).to_csv(index=False))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
