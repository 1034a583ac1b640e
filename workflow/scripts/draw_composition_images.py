"""Draw the composition image of every material of a shard, with the grey levels of a split."""

import hashlib
from pathlib import Path
from typing import Annotated

from polyfacet.config.composition import ImageLayout
from polyfacet.facets.compimage.drawing import arranged_pixels, write_images
from polyfacet.facets.compimage.grey_levels import GreyLevels
from polyfacet.facets.compimage.statistics_table import read_statistics
from polyfacet.materials.stage_tables import COMPOSITION_IMAGES
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.progress import track


def main(
    statistics: Path,
    grey_levels: Path,
    images: Path,
    manifest: Path,
    *,
    provenance: Path,
    layout: ImageLayout,
    scale: Annotated[int, Key("composition.scale")],
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Draw the images of one shard of one split.

    Parameters
    ----------
    statistics, grey_levels
        Statistics of the shard's compositions; the fitted levels.
    images
        Output folder of ``<mat_id>.png``, 8-bit grey, 24 x 21 pixels times ``scale``.
    manifest
        Output: table of the images, with digests.
    provenance
        Output: JSON with the numbers of results made and kept.
    layout
        See `polyfacet.facets.compimage.image.arrange`.
    scale
        Edge of a drawn pixel in pixels of the file.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
    """
    mat_ids, values = read_statistics(statistics)
    pictures = arranged_pixels(mat_ids, values, GreyLevels.load(grey_levels), layout)
    # A picture stays valid under other levels if they change none of its pixels.
    made_of = {mat_id: hashlib.sha256(pixels.tobytes()).hexdigest() for mat_id, pixels in pictures.items()}
    recipe = {"code": code, "scale": scale}
    results = KeptResults(
        kept, COMPOSITION_IMAGES, recipe, made_of, script=Path(__file__), file_column="image"
    )
    with atomic_path(images) as folder:
        folder.mkdir()
        new = track(results.reuse(folder), "composition images")
        rows = write_images(((mat_id, pictures[mat_id]) for mat_id in new), folder, scale)
    results.write(manifest, provenance, rows, images)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
