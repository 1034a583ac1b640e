"""Draw the comparison of the methods."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polyfacet.evaluation.scores import SCORES, compare
from polyfacet.reporting.comparison.figure import comparison_figure
from polyfacet.reporting.figures import save
from polyfacet.runtime.parquet import read_table


def main(scores: Path, figure: Path, *, published: Sequence[Mapping[str, Any]]) -> None:
    """Draw the ``scores`` of all cells, and the ``published`` ones, to the PNG file ``figure``."""
    save(comparison_figure(compare(read_table(scores, SCORES), reference=None), published), figure)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
