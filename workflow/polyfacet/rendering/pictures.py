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
from polyfacet.rendering.settings import RenderSettings


@dataclass(frozen=True)
class Picture:
    """A picture that was made; its attributes but the time are the columns of ``stage_tables.PICTURES``."""

    mat_id: str
    image: str
    sha256: str
    n_bonds: int
    bonding_failure: str | None
    seconds: float

    def row(self) -> dict[str, Any]:
        """Give the picture as a row: without the time, so that equal pictures make equal tables."""
        return {name: value for name, value in asdict(self).items() if name != "seconds"}


def render_structures(
    items: Iterable[tuple[str, Path]], folder: Path, camera: SceneCamera
) -> Iterator[Picture | Reject]:
    """Draw structures one after another.

    Parameters
    ----------
    items
        Identifier and CIF file of each material.
    folder
        Where the pictures go, as ``<mat_id>.png``; each file appears whole or not at all.
    camera
        A camera that is open.

    Yields
    ------
    Picture or Reject
        One for each item, in their order; a reject carries the reason.
    """
    for mat_id, cif in items:
        start = time.perf_counter()
        if reason := invalid_mat_id_reason(mat_id):
            yield Reject(str(mat_id), reason)
            continue
        try:
            scene = scene_of_cif(cif, camera.settings)
            png = camera.take_picture(scene.json)
        except (SceneError, PictureError) as error:
            yield Reject(mat_id, str(error))
            continue
        image = f"{mat_id}.png"
        with atomic_path(folder / image) as part:
            part.write_bytes(png)
        yield Picture(
            mat_id=mat_id,
            image=image,
            sha256=hashlib.sha256(png).hexdigest(),
            n_bonds=scene.n_bonds,
            bonding_failure=scene.bonding_failure,
            seconds=time.perf_counter() - start,
        )


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
