"""Facets that are declared with a function: made one material at a time, and checked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from polyfacet.facets.declaration import Facet, FacetError
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.rejects import Reject

# Maps an identifier to a formula or a structure.
Reader = Callable[[str], Any]

# Modes of PNGs whose values engines and encoders read unchanged; 16-bit values would be clipped.
PICTURE_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


def make_rows(
    facet: Facet, mat_ids: Iterable[str], read: Reader, folder: Path | None
) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Make a facet for materials.

    Parameters
    ----------
    facet
        A facet with ``make``.
    mat_ids, read
        Identifiers, and the function that reads the formula or structure of each, whichever the facet needs.
    folder
        Where pictures are written; None for facets without pictures.

    Returns
    -------
    tuple of list
        Rows of the facet's table, and the materials without one.

    Raises
    ------
    UserError
        If the function of the facet raises anything but `FacetError`; the message names the material.
    """
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for mat_id in mat_ids:
        try:
            rows.append(_made(facet, mat_id, read, folder))
        except FacetError as error:
            rejects.append(Reject.because_of(mat_id, error))
    return rows, rejects


def _made(facet: Facet, mat_id: str, read: Reader, folder: Path | None) -> dict[str, Any]:
    material = read(mat_id)
    try:
        return make_row(facet, mat_id, material, folder)
    except FacetError:
        raise
    except Exception as error:
        raise_machine_failure(error)
        raise UserError(
            f"the facet {facet.name} fails at material {mat_id} ({type(error).__name__}: {error}). Correct "
            "its `make`, or let it raise FacetError where the material is at fault."
        ) from error


def make_row(facet: Facet, mat_id: str, material: Any, folder: Path | None) -> dict[str, Any]:
    """Make a facet for one material: a row of its stage's table.

    Parameters
    ----------
    facet
        A facet with ``make``.
    mat_id
        Identifier of the material.
    material
        Its formula or structure, whichever the facet needs.
    folder
        Where pictures are written; None for facets without pictures.

    Raises
    ------
    FacetError
        If it cannot be made for this material, or the value is not of the facet's kind.
    """
    make = facet.load_make()
    if make is None:
        raise ValueError(f"the facet {facet.name} is made by rules of the workflow")
    value = make(material)
    return {"mat_id": mat_id, **_WRITERS[facet.kind](facet, mat_id, value, folder)}


def check_lengths(facet: Facet, rows: Sequence[Mapping[str, Any]]) -> None:
    """Check that all vectors of a facet have the same length.

    Raises
    ------
    UserError
        If two lengths differ; the message names both materials.
    """
    if facet.kind != "vector" or not rows:
        return
    first, n = rows[0]["mat_id"], len(rows[0]["values"])
    for row in rows:
        if len(row["values"]) != n:
            raise UserError(
                f"the facet {facet.name} has {n} numbers for {first} and {len(row['values'])} for "
                f"{row['mat_id']}. Its `make` must return the same number for every material."
            )


def _text(facet: Facet, mat_id: str, value: Any, folder: Path | None) -> dict[str, Any]:
    if not isinstance(value, str) or not value.strip():
        raise FacetError(f"{facet.name} is not a text: {_shown(value)}")
    return {"text": value}


def _vector(facet: Facet, mat_id: str, value: Any, folder: Path | None) -> dict[str, Any]:
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FacetError(f"{facet.name} is not a list of numbers: {_shown(value)}") from error
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
        raise FacetError(f"{facet.name} is not a list of finite numbers: {_shown(value)}")
    return {"values": numbers.tolist()}


def _picture(facet: Facet, mat_id: str, value: Any, folder: Path | None) -> dict[str, Any]:
    if not isinstance(value, Image.Image):
        raise FacetError(f"{facet.name} is not a Pillow image: {_shown(value)}")
    if folder is None:
        raise ValueError(f"the facet {facet.name} needs a folder for its pictures")
    path = folder / f"{mat_id}.png"
    path.write_bytes(_png(facet, value))
    return {"image": path.name, "sha256": sha256_of_file(path)}


def _png(facet: Facet, picture: Image.Image) -> bytes:
    """Encode a picture in memory, so that any error is the picture's fault and not the disk's."""
    if picture.mode not in PICTURE_MODES:
        raise FacetError(
            f"{facet.name} is a picture in mode {picture.mode}, not one of {', '.join(PICTURE_MODES)}: "
            "scale its values to 0..255 and convert it"
        )
    if 0 in picture.size:
        raise FacetError(f"{facet.name} is a picture of {picture.width} x {picture.height} pixels")
    buffer = BytesIO()
    try:
        picture.save(buffer, "PNG")
    except (OSError, SyntaxError, ValueError) as error:
        raise FacetError(f"{facet.name} cannot be written as a PNG ({error})") from error
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[Facet, str, Any, Path | None], dict[str, Any]]] = {
    "text": _text,
    "vector": _vector,
    "image": _picture,
}


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"
