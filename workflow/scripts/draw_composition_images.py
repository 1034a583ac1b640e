"""Draw the composition image of every material, with grey levels fitted once per split."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from PIL import Image

from polyfacet.composition.element_table import elements_without_properties, read_elements
from polyfacet.composition.formula import FormulaError, parse_formula
from polyfacet.composition.grey_levels import GreyLevels
from polyfacet.composition.image import Layout, arrange, magnify
from polyfacet.composition.statistics import Array, Mode, composition_statistics
from polyfacet.composition.xenonpy_backend import xenonpy_statistics
from polyfacet.errors import UserError
from polyfacet.files import atomic_path, sha256_of_file
from polyfacet.materials import SAMPLE
from polyfacet.progress import track
from polyfacet.rejects import Reject, check_rejected_fraction, write_rejects
from polyfacet.splitting import SPLIT, TRAIN
from polyfacet.stage_tables import COMPOSITION_IMAGES
from polyfacet.tables import read_table, write_table

Compositions = dict[str, dict[str, float]]


def main(
    materials: Path,
    split: Path,
    element_table: Path,
    images: Path,
    manifest: Path,
    grey_levels: Path,
    rejected: Path,
    *,
    backend: Literal["polyfacet", "xenonpy"],
    statistics: Mode,
    layout: Layout,
    fit: Literal["train", "all"],
    scale: int,
    max_rejected_fraction: float,
) -> None:
    """Draw the images of one split.

    Parameters
    ----------
    materials, split, element_table
        Sampled materials; part of each; element properties.
    images
        Output folder of ``<mat_id>.png``, 8-bit grey, 24 x 21 pixels times ``scale``.
    manifest, grey_levels, rejected
        Outputs: what was drawn, with digests; the fitted grey levels as JSON; what could not be drawn.
    backend
        What computes the statistics: this package, or XenonPy, which has ``statistics`` of its own name only.
    statistics
        See `polyfacet.composition.statistics.composition_statistics`.
    layout
        See `polyfacet.composition.image.arrange`.
    fit
        Whether grey levels are fitted on the training part or, as in the paper, on all materials.
    scale
        Pixels per pixel.
    max_rejected_fraction
        Share of rejects above which the stage stops.
    """
    if backend == "xenonpy" and statistics != "xenonpy":
        raise UserError(
            f"the back end xenonpy has no statistics {statistics!r}: write `statistics: xenonpy`."
        )
    sample = read_table(materials, SAMPLE, columns=["mat_id", "formula"])
    elements = read_elements(element_table)
    compositions, rejects = _compositions(sample, elements)
    write_rejects(rejected, rejects)
    check_rejected_fraction(
        len(rejects),
        len(sample),
        max_rejected_fraction,
        "composition images",
        [reject.reason for reject in rejects],
    )
    amounts = list(compositions.values())
    values = (
        xenonpy_statistics(amounts, elements)
        if backend == "xenonpy"
        else composition_statistics(amounts, elements, statistics)
    )
    fitted_on = _fitted_on(list(compositions), read_table(split, SPLIT), fit)
    levels = GreyLevels.fit(values[fitted_on])
    origin = {"backend": backend, "statistics": statistics, "fit": fit}
    levels.save(grey_levels, **origin, n_fitted=int(fitted_on.sum()))
    rows = _draw(images, list(compositions), levels, values, layout, scale)
    write_table(manifest, rows, COMPOSITION_IMAGES)


def _compositions(sample: pd.DataFrame, elements: pd.DataFrame) -> tuple[Compositions, list[Reject]]:
    compositions: Compositions = {}
    rejects = []
    for mat_id, formula in zip(sample["mat_id"], sample["formula"], strict=True):
        try:
            amounts = parse_formula(formula)
        except FormulaError as error:
            rejects.append(Reject(mat_id, str(error)))
            continue
        unknown = elements_without_properties(amounts, elements)
        if unknown:
            rejects.append(Reject(mat_id, f"the element table has no properties of {', '.join(unknown)}"))
            continue
        compositions[mat_id] = amounts
    return compositions, rejects


def _fitted_on(mat_ids: list[str], split: pd.DataFrame, fit: Literal["train", "all"]) -> np.ndarray:
    part = split.set_index("mat_id")["part"]
    fitted = np.array([fit == "all" or part[mat_id] == TRAIN for mat_id in mat_ids], dtype=bool)
    if not fitted.any():
        raise UserError("composition images: no material is left in the training part to fit grey levels on.")
    return fitted


def _draw(
    images: Path, mat_ids: list[str], levels: GreyLevels, values: Array, layout: Layout, scale: int
) -> list[dict[str, str]]:
    rows = []
    with atomic_path(images) as folder:
        folder.mkdir()
        pairs = zip(mat_ids, values, strict=True)
        for mat_id, statistics in track(pairs, "composition images", len(mat_ids)):
            path = folder / f"{mat_id}.png"
            picture = arrange(levels.grey(statistics)[None], layout)[0]
            Image.fromarray(magnify(picture, scale)).save(path)
            rows.append({"mat_id": mat_id, "image": path.name, "sha256": sha256_of_file(path)})
    return rows


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
