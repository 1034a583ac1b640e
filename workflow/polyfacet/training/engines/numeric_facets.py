"""Facets as arrays of numbers, for engines without encoders."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.facets.compimage.grey_levels import WHITE
from polyfacet.facets.compimage.image import shrink
from polyfacet.facets.compimage.statistics_table import STATISTICS_COLUMN
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, FACETS, combination_name, encoding_column
from polyfacet.materials.picture_files import read_picture
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import EngineError

Array = NDArray[np.float64]

# Engines compute in single precision.
LARGEST = float(np.finfo(np.float32).max)


def check_facets(engine: str, facets: Sequence[Facet], frame: pd.DataFrame) -> None:
    """Reject facets without numbers.

    Raises
    ------
    UserError
        If there are no facets, or one is made of texts or pictures and the rows have no encoding of it.
    """

    def has_numbers(facet: Facet) -> bool:
        return facet.is_numeric or encoding_column(facet) in frame

    if not facets or not all(map(has_numbers, facets)):
        usable = [name for name, facet in FACETS.all().items() if has_numbers(facet)]
        raise UserError(
            f"engine {engine} cannot use {combination_name(facets) or 'no facet'}. It accepts "
            f"{', '.join(usable)}. Adjust its `combinations`."
        )


def vectors(frame: pd.DataFrame, facets: Sequence[Facet]) -> Array:
    """Concatenate vector facets and the encodings of others, shape ``(rows, columns)``; NaN where missing.

    Raises
    ------
    EngineError
        If a number is infinite or exceeds single precision; the message names the material.
    """
    columns = {facet: facet.name if facet.kind == "vector" else encoding_column(facet) for facet in facets}
    parts = {facet: _stacked(frame[name]) for facet, name in columns.items()}
    for facet, values in parts.items():
        beyond = (np.abs(values) > LARGEST).any(axis=1)
        if beyond.any():
            names = frame["mat_id"].to_numpy()[beyond]
            raise EngineError(
                f"the facet {facet.name} of {len(names)} rows has numbers beyond {LARGEST:.2g}; "
                f"the first one is {names[0]}"
            )
    return np.hstack(list(parts.values()))


def pixels(frame: pd.DataFrame, facet: Facet) -> Array:
    """Return the grey values, 0 to 1, of a facet's pictures, shape ``(rows, height, width)``.

    Composition images are read at 24 x 21 pixels, whatever their scale.

    Raises
    ------
    UserError
        If a picture is missing, is not a composition image where one is expected, or differs in size from the
        first one; the message names the material and the file.
    """
    read = _composition_grey if facet == COMPIMAGE else _grey
    pictures: list[Array] = []
    for mat_id, path in zip(frame["mat_id"], frame[facet.name], strict=True):
        pictures.append(read(mat_id, Path(path)))
        if pictures[-1].shape != pictures[0].shape:
            raise UserError(
                f"material {mat_id}: {path} has {_size(pictures[-1])}, but the first picture of the facet "
                f"{facet.name} has {_size(pictures[0])}. Use one size for all."
            )
    return np.stack(pictures)


def _size(picture: Array) -> str:
    height, width = picture.shape
    return f"{width} x {height} pixels"


def original_features(frame: pd.DataFrame, facets: Sequence[Facet]) -> Array:
    """Concatenate the numbers of facets, shape ``(rows, features)``: pixels where they are numbers."""
    parts = [
        pixels(frame, facet).reshape(len(frame), -1) if facet.pixels_are_numbers else vectors(frame, [facet])
        for facet in facets
    ]
    return np.hstack(parts)


def composition_statistics(frame: pd.DataFrame) -> Array:
    """Return the statistics of element properties, shape ``(rows, 392)``; NaN where not finite.

    Raises
    ------
    UserError
        If the dataset has no statistics.
    """
    if STATISTICS_COLUMN not in frame:
        raise UserError(
            f"the dataset has no column {STATISTICS_COLUMN}, which expanded features require. "
            "Set `features: original`."
        )
    values = _stacked(frame[STATISTICS_COLUMN])
    return np.where(np.isfinite(values), values, np.nan)


def _stacked(column: pd.Series) -> Array:
    lengths = column.map(len).unique()
    if len(lengths) > 1:
        raise UserError(
            f"vectors of the facet {column.name} have {' or '.join(map(str, sorted(lengths)))} numbers; "
            "all must have the same length."
        )
    return np.stack([np.asarray(values, dtype=np.float64) for values in column])


def _grey(mat_id: str, path: Path) -> Array:
    return np.asarray(read_picture(mat_id, path).convert("L"), dtype=np.float64) / WHITE


def _composition_grey(mat_id: str, path: Path) -> Array:
    try:
        return shrink(_grey(mat_id, path))
    except ValueError as error:
        raise UserError(f"material {mat_id}: {path}: {error}. Delete its folder and run again.") from error
