"""Describe where errors are large: by element, crystal system and size, and the worst predictions."""

from collections.abc import Sequence
from pathlib import Path

from polyfacet.evaluation.choices import CHOICES
from polyfacet.evaluation.errors_by_group import ERRORS_BY_GROUP
from polyfacet.evaluation.errors_by_group import errors_by_group as errors_in_groups
from polyfacet.evaluation.held_out import HeldOut
from polyfacet.evaluation.material_groups import groups_of
from polyfacet.evaluation.samples import read_samples
from polyfacet.evaluation.tables import CELLS
from polyfacet.evaluation.worst import WORST, worst_predictions
from polyfacet.runtime.parquet import read_table, write_table


def main(
    samples: list[Path],
    cells_table: Path,
    predictions: Path,
    choices: Path,
    errors_by_group: Path,
    worst: Path,
    *,
    sources: Sequence[str],
) -> None:
    """Write the tables.

    Parameters
    ----------
    samples
        Table of the materials of each of ``sources``.
    cells_table, predictions
        Facts and predictions of all cells.
    choices
        Cells chosen by validation rows.
    errors_by_group, worst
        Outputs: errors in each group of materials; the largest errors.
    sources
        Sources of the materials.
    """
    cells = read_table(cells_table, CELLS)

    materials = read_samples(sources, samples)
    held_out = HeldOut.read(predictions, cells, materials)
    tested = held_out.tested()
    chosen = read_table(choices, CHOICES)
    groups = {source: groups_of(own) for source, own in materials.items()}
    write_table(errors_by_group, errors_in_groups(cells, tested, groups, chosen), ERRORS_BY_GROUP)
    write_table(worst, worst_predictions(held_out.cells, tested, materials, chosen), WORST)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
