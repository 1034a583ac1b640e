"""Sheets with pictures of materials spread evenly over a sample."""

from pathlib import Path

import pandas as pd

from polyfacet.facets.aligned import check_pictures
from polyfacet.facets.registry import IMAGE, shown_columns
from polyfacet.reporting.picture_sheets import contact_sheet, save
from polyfacet.runtime.errors import UserError


def save_contact_sheet(materials: pd.DataFrame, sheet: Path, n_pictures: int) -> None:
    """Draw a sheet of pictures, ten per line, with formulas; the views of a material are side by side.

    Parameters
    ----------
    materials
        Rows with ``mat_id``, ``formula``, and paths and digests of pictures (see `aligned.read_facet`).
    sheet
        Output, a PNG file.
    n_pictures
        Maximum number of pictures.

    Raises
    ------
    UserError
        If no material has pictures, or one of them is missing or has changed.
    """
    views = shown_columns(IMAGE, materials.columns)
    drawn = materials.dropna(subset=views).sort_values(["formula", "mat_id"])
    if drawn.empty:
        raise UserError("There are no pictures. See the rejects of the images stage.")
    n_materials = max(1, n_pictures // len(views))
    chosen = drawn.iloc[:: max(1, len(drawn) // n_materials)].head(n_materials)
    check_pictures(chosen, [IMAGE])
    pictures = [Path(path) for path in chosen[views].to_numpy().ravel()]
    save(contact_sheet(pictures, list(chosen["formula"].repeat(len(views)))), sheet)
