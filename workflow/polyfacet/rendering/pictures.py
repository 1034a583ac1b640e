"""Pictures of materials: from CIF files to PNG files, with a reason for each one that is missing."""

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from polyfacet.cif import CifError, read_cif
from polyfacet.files import atomic_path
from polyfacet.identifiers import invalid_mat_id_reason
from polyfacet.rejects import Reject
from polyfacet.rendering.capture import PictureError, SceneCamera
from polyfacet.rendering.scene import CrystalScene, SceneError, crystal_scene
from polyfacet.rendering.settings import RenderSettings, View


@dataclass(frozen=True)
class Picture:
    """A picture that was made; its attributes but view and time are columns of ``stage_tables.PICTURES``."""

    mat_id: str
    view: View
    image: str
    sha256: str
    n_bonds: int
    bonding_failure: str | None
    seconds: float

    def row(self) -> dict[str, Any]:
        """Give the picture as a row: without the time, so that equal pictures make equal tables."""
        return {name: value for name, value in asdict(self).items() if name not in ("view", "seconds")}


def render_structures(
    items: Iterable[tuple[str, Path]], folder: Path, camera: SceneCamera
) -> Iterator[list[Picture] | Reject]:
    """Draw structures one after another.

    Parameters
    ----------
    items
        Identifier and CIF file of each material.
    folder
        Where the pictures go; each file appears whole or not at all.
    camera
        A camera that is open.

    Yields
    ------
    list of Picture, or Reject
        One for each item, in their order: the pictures of all views, or a reject that carries the reason.
    """
    for mat_id, cif in items:
        start = time.perf_counter()
        if reason := invalid_mat_id_reason(mat_id):
            yield Reject(str(mat_id), reason)
            continue
        try:
            scene = scene_of_cif(cif, camera.settings)
            pngs = {view: camera.take_picture(text) for view, text in scene.views.items()}
        except (SceneError, PictureError) as error:
            yield Reject(mat_id, str(error))
            continue
        seconds = (time.perf_counter() - start) / len(pngs)
        yield [write_picture(folder, mat_id, view, png, scene, seconds) for view, png in pngs.items()]


def write_picture(
    folder: Path, mat_id: str, view: View, png: bytes, scene: CrystalScene, seconds: float
) -> Picture:
    """Write the picture of one view of a material."""
    image = image_name(mat_id)
    with atomic_path(folder / image) as part:
        part.write_bytes(png)
    return Picture(
        mat_id=mat_id,
        view=view,
        image=image,
        sha256=hashlib.sha256(png).hexdigest(),
        n_bonds=scene.n_bonds,
        bonding_failure=scene.bonding_failure,
        seconds=seconds,
    )


def image_name(mat_id: str) -> str:
    """Name the file of a material's picture."""
    return f"{mat_id}.png"


def scene_of_cif(cif: Path, settings: RenderSettings) -> CrystalScene:
    """Read a CIF file and make the scene of its structure.

    Raises
    ------
    SceneError
        If the file is missing, holds no structure, or no scene can be made of it.
    """
    try:
        structure = read_cif(cif)
    except CifError as error:
        raise SceneError(str(error)) from error
    return crystal_scene(structure, settings)
