"""Composition images of materials: statistics of their formulas, drawn with fitted grey levels."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from polyfacet.config.composition import ImageLayout, StatisticsBackend, StatisticsMode
from polyfacet.facets.compimage.element_table import elements_without_properties
from polyfacet.facets.compimage.grey_levels import GreyLevels
from polyfacet.facets.compimage.image import arrange, magnify
from polyfacet.facets.compimage.statistics import Array, composition_statistics
from polyfacet.facets.compimage.statistics_table import statistics_rows
from polyfacet.facets.compimage.xenonpy_backend import xenonpy_statistics
from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.rejects import Reject


def statistics_of_formulas(
    formulas: Mapping[str, str], elements: pd.DataFrame, backend: StatisticsBackend, mode: StatisticsMode
) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Compute the statistics of the element properties of each formula.

    Parameters
    ----------
    formulas
        mat_id to formula.
    elements
        Table of element properties.
    backend
        ``polyfacet`` or ``xenonpy``.
    mode
        See `polyfacet.facets.compimage.statistics.composition_statistics`.

    Returns
    -------
    tuple of list
        Rows of `polyfacet.facets.compimage.statistics_table.COMPOSITION_STATISTICS`, and the materials whose
        formula or one of its elements is unknown.
    """
    compositions, rejects = _compositions(formulas, elements)
    amounts = list(compositions.values())
    values = (
        xenonpy_statistics(amounts, elements)
        if backend == "xenonpy"
        else composition_statistics(amounts, elements, mode)
    )
    return statistics_rows(compositions, values), rejects


def arranged_pixels(
    mat_ids: Sequence[str], statistics: Array, levels: GreyLevels, layout: ImageLayout
) -> dict[str, NDArray[np.uint8]]:
    """Return the 24 x 21 grey values of each material.

    Parameters
    ----------
    mat_ids, statistics
        Identifiers, and their statistics, shape (materials, 7, 56).
    levels
        Fitted grey levels.
    layout
        See `polyfacet.facets.compimage.image.arrange`.
    """
    return dict(zip(mat_ids, arrange(levels.grey(statistics), layout), strict=True))


def write_images(
    pixels: Iterable[tuple[str, NDArray[np.uint8]]], folder: Path, scale: int
) -> list[dict[str, str]]:
    """Write ``<mat_id>.png`` of each material; return the rows of their table.

    Parameters
    ----------
    pixels
        mat_id and grey values.
    folder
        Existing folder.
    scale
        Edge of a drawn pixel in pixels of the file.
    """
    rows = []
    for mat_id, picture in pixels:
        path = folder / f"{mat_id}.png"
        Image.fromarray(magnify(picture, scale)).save(path)
        rows.append({"mat_id": mat_id, "image": path.name, "sha256": sha256_of_file(path)})
    return rows


def _compositions(
    formulas: Mapping[str, str], elements: pd.DataFrame
) -> tuple[dict[str, dict[str, float]], list[Reject]]:
    compositions: dict[str, dict[str, float]] = {}
    rejects = []
    for mat_id, formula in formulas.items():
        try:
            amounts = parse_formula(formula)
        except FormulaError as error:
            rejects.append(Reject.because_of(mat_id, error))
            continue
        unknown = elements_without_properties(amounts, elements)
        if unknown:
            rejects.append(Reject(mat_id, f"the element table has no properties of {', '.join(unknown)}"))
            continue
        compositions[mat_id] = amounts
    return compositions, rejects
