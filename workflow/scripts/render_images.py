"""Draw the picture of each material of a shard."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from polyfacet.config.images import Arrangement, Cell, ColorScheme, Vacuum, View, WebGLBackend
from polyfacet.facets.image.pictures import Picture, render_structures
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.studio import open_studio
from polyfacet.materials.cell_size import MAX_SITES
from polyfacet.materials.stage_tables import PICTURES, intact_structures
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.progress import track
from polyfacet.runtime.rejects import Reject, record_rejects

logger = logging.getLogger(__name__)


def main(
    structures: Path,
    materials: Path,
    images: Path,
    manifest: Path,
    rejected: Path,
    *,
    provenance: Path,
    size: Annotated[int, Key("images.size")] = 128,
    sphere_segments: Annotated[int, Key("images.sphere_segments")] = 32,
    bonds: bool = True,
    polyhedra: bool = True,
    bonded_sites_outside_unit_cell: bool = True,
    colors: ColorScheme = "VESTA",
    cell: Cell = "given",
    unit_cell: bool = True,
    vacuum: Vacuum = "trim",
    views: Annotated[Sequence[View], Key("images.views")] = ("z",),
    arrangement: Arrangement = "montage",
    centered: bool = True,
    show_compass: bool = False,
    webgl: WebGLBackend = "auto",
    max_sites: Annotated[int, Key("max_sites.images")] = MAX_SITES["images"],
    browser: Path | None = None,
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")] = 0.05,
    threads: Annotated[int, Key("training.threads")] = 1,
    scenes: Path | None = None,
    drawn_by: str = "",
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Draw the materials of a shard with Crystal Toolkit in a headless browser.

    Parameters
    ----------
    structures
        Folder of ``<mat_id>.cif``.
    materials
        Table of the shard's materials and the digests of their CIFs.
    images
        Output: folder of ``<mat_id>.png``, or of one such folder per view.
    manifest
        Output: table of the pictures (``PICTURES``).
    rejected
        Output: table of the materials without a picture, with reasons.
    provenance
        Output: JSON with the browser, WebGL renderer and packages that made the pictures, and the numbers of
        materials whose pictures were made and kept.
    size, sphere_segments, bonds, polyhedra, bonded_sites_outside_unit_cell, colors, cell, unit_cell, vacuum,
    views, arrangement, centered, show_compass, webgl, max_sites
        See ``RenderSettings``.
    browser
        Path of Chromium or Chrome; searched for if not given.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    threads
        Number of processor cores to use; the pictures do not depend on it.
    scenes
        Folder that caches scenes, so that bonds need not be found again when a crystal is redrawn.
    drawn_by
        The drawing software (see `polyfacet.facets.image.drawn_by`), for the recipe of kept results.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
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
        views=list(views),
        arrangement=arrangement,
        centered=centered,
        show_compass=show_compass,
        webgl=webgl,
        max_sites=max_sites,
    )
    made_of = intact_structures(materials, structures)
    start = time.monotonic()
    with atomic_path(images) as folder, open_studio(settings, browser, threads, scenes) as studio:
        folder.mkdir()
        made_by = studio.provenance()
        # Pictures do not depend on the browser's sandbox.
        recipe = {"code": code, "drawn_by": drawn_by, **made_by}
        recipe.pop("sandbox")
        results = KeptResults(kept, PICTURES, recipe, made_of, script=Path(__file__), file_column="image")
        items = [(mat_id, structures / f"{mat_id}.cif") for mat_id in results.reuse(folder)]
        drawn = render_structures(items, folder, studio, settings)
        drawings = list(track(drawn, f"images {manifest.stem}", total=len(items)))
    pictures = [picture for drawing in drawings if isinstance(drawing, list) for picture in drawing]
    rejects = [drawing for drawing in drawings if isinstance(drawing, Reject)]
    results.write(manifest, provenance, [picture.row() for picture in pictures], images, **made_by)
    log_summary(pictures, time.monotonic() - start)
    record_rejects(rejected, rejects, len(made_of), max_rejected_fraction, "images")


def log_summary(pictures: Sequence[Picture], seconds: float) -> None:
    """Log how many pictures were made, how fast, and which of them have no bonds, with the reason."""
    failures = [picture for picture in pictures if picture.bonding_failure]
    logger.info("%d pictures in %.0f s; %d of them without bonds", len(pictures), seconds, len(failures))
    for picture in failures:
        logger.warning("%s is drawn without bonds: %s", picture.mat_id, picture.bonding_failure)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
