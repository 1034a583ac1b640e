"""Draw a contact sheet of pictures without a dataset."""

from pathlib import Path

import pandas as pd

from polyfacet.facets.aligned import read_facet
from polyfacet.facets.registry import IMAGE
from polyfacet.materials.stage_tables import STRUCTURES
from polyfacet.reporting.contact_sheets import save_contact_sheet
from polyfacet.runtime.parquet import read_table


def main(structures: list[Path], tables: list[Path], sheet: Path, *, n_pictures: int) -> None:
    """Draw the sheet.

    Parameters
    ----------
    structures
        Tables of the structures, one per shard.
    tables
        Tables of their pictures, one per shard; ``x.parquet`` lists the pictures in the folder ``x``.
    sheet
        Output, a PNG file.
    n_pictures
        Maximum number of pictures.
    """
    formulas = pd.concat([read_table(path, STRUCTURES, ["mat_id", "formula"]) for path in structures])
    pictures = read_facet(IMAGE, tables)
    save_contact_sheet(formulas.merge(pictures, on="mat_id", validate="one_to_one"), sheet, n_pictures)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
