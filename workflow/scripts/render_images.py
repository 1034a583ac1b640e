"""Draw the picture of each material of a shard."""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from polyfacet.files import atomic_path, write_text
from polyfacet.progress import track
from polyfacet.rejects import Reject, check_rejected_fraction, write_rejects
from polyfacet.rendering.pictures import Picture, render_structures
from polyfacet.rendering.settings import (
    Arrangement,
    Cell,
    ColorScheme,
    RenderSettings,
    Vacuum,
    View,
    WebGLBackend,
)
from polyfacet.rendering.studio import open_studio
from polyfacet.stage_tables import PICTURES, intact_structures
from polyfacet.tables import write_table

logger = logging.getLogger(__name__)


def main(
    structures: Path,
    materials: Path,
    images: Path,
    manifest: Path,
    rejected: Path,
    *,
    provenance: Path,
    size: int = 300,
    sphere_segments: int = 32,
    bonds: bool = True,
    polyhedra: bool = True,
    bonded_sites_outside_unit_cell: bool = True,
    colors: ColorScheme = "VESTA",
    cell: Cell = "given",
    unit_cell: bool = True,
    vacuum: Vacuum = "trim",
    views: Sequence[View] = ("z",),
    arrangement: Arrangement = "montage",
    centered: bool = True,
    show_compass: bool = False,
    webgl: WebGLBackend = "auto",
    browser: Path | None = None,
    max_rejected_fraction: float = 0.05,
    threads: int = 1,
    scenes: Path | None = None,
) -> None:
    """Draw the materials of a shard with Crystal Toolkit in a headless browser.

    Parameters
    ----------
    structures
        Folder of ``<mat_id>.cif``.
    materials
        Table with the column ``mat_id``: the shard's materials.
    images
        Output: folder of ``<mat_id>.png``, or of such a folder per view.
    manifest
        Output: table of the pictures (``PICTURES``).
    rejected
        Output: table of the materials without a picture, with reasons.
    provenance
        Output: JSON that says which browser, WebGL renderer and packages made the pictures.
    size, sphere_segments, bonds, polyhedra, bonded_sites_outside_unit_cell, colors, cell, unit_cell, vacuum,
    views, arrangement, centered, show_compass, webgl
        See ``RenderSettings``.
    browser
        Path of Chromium or Chrome; looked for if not given.
    max_rejected_fraction
        More rejects than this fraction of the shard fail the stage.
    threads
        Number of processor cores to use; the pictures do not depend on it.
    scenes
        Folder that keeps scenes, so that a crystal that is drawn again need not have its bonds found again.
    """
    settings = RenderSettings(
        size=size,
        sphere_segments=sphere_segments,
        bonds=bonds,
        polyhedra=polyhedra,
        bonded_sites_outside_unit_cell=bonded_sites_outside_unit_cell,
        colors=colors,
        cell=cell,
        unit_cell=unit_cell,
        vacuum=vacuum,
        views=tuple(views),
        arrangement=arrangement,
        centered=centered,
        show_compass=show_compass,
        webgl=webgl,
    )
    mat_ids = intact_structures(materials, structures)
    items = [(mat_id, structures / f"{mat_id}.cif") for mat_id in mat_ids]
    start = time.monotonic()
    with atomic_path(images) as folder, open_studio(settings, browser, threads, scenes) as studio:
        folder.mkdir()
        drawn = render_structures(items, folder, studio, settings)
        results = list(track(drawn, f"images {manifest.stem}", total=len(items)))
        made_by = studio.provenance()
    pictures = [picture for result in results if isinstance(result, list) for picture in result]
    rejects = [result for result in results if isinstance(result, Reject)]
    write_table(manifest, [picture.row() for picture in pictures], PICTURES)
    write_rejects(rejected, rejects)
    write_text(provenance, json.dumps(made_by, indent=2, sort_keys=True) + "\n")
    log_summary(pictures, time.monotonic() - start)
    check_rejected_fraction(
        len(rejects), len(items), max_rejected_fraction, "images", [reject.reason for reject in rejects]
    )


def log_summary(pictures: Sequence[Picture], seconds: float) -> None:
    """Log how many pictures were made, how fast, and which of them lack bonds because none could be found."""
    failures = [picture for picture in pictures if picture.bonding_failure]
    logger.info("%d pictures in %.0f s; bonds failed in %d of them", len(pictures), seconds, len(failures))
    for picture in failures:
        logger.warning("%s is drawn without bonds: %s", picture.mat_id, picture.bonding_failure)


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
