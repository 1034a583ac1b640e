"""Pictures of materials: from CIF files to PNG files, with a reason for each missing picture."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from polyfacet.config.images import View
from polyfacet.facets.image.drawable import CrystalScene, SceneError
from polyfacet.facets.image.drawing_failures import PictureError
from polyfacet.facets.image.montage import montage
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.studio import Studio
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.runtime.rejects import Reject


@dataclass(frozen=True)
class Picture:
    """A picture of a material; its attributes are the columns of ``stage_tables.PICTURES``."""

    mat_id: str
    view: str
    image: str
    sha256: str
    n_bonds: int
    bonding_failure: str | None

    def row(self) -> dict[str, Any]:
        """Return the picture as a row of its table."""
        return asdict(self)


def render_structures(
    items: Iterable[tuple[str, Path]], folder: Path, studio: Studio, settings: RenderSettings
) -> Iterator[list[Picture] | Reject]:
    """Draw structures.

    Parameters
    ----------
    items
        Identifier and CIF file of each material.
    folder
        Folder for the pictures; each file appears complete or not at all.
    studio
        An open studio.
    settings
        What the pictures show, and how several views are arranged.

    Yields
    ------
    list of Picture, or Reject
        One for each item, in the same order: the pictures of all views, or a reject with the reason.
    """
    listed = list(items)
    invalid = {mat_id: reason for mat_id, _ in listed if (reason := invalid_mat_id_reason(mat_id))}
    shots = studio.shoot(cif for mat_id, cif in listed if mat_id not in invalid)
    for mat_id, _ in listed:
        if mat_id in invalid:
            yield Reject(str(mat_id), invalid[mat_id])
            continue
        shot = next(shots)
        if isinstance(shot, SceneError | PictureError):
            yield Reject.because_of(mat_id, shot)
        else:
            scene, pngs = shot
            yield write_pictures(folder, mat_id, scene, arranged(pngs, settings))


def arranged(pngs: Mapping[View, bytes], settings: RenderSettings) -> Mapping[str, bytes]:
    """Return the pictures to keep of a material, keyed by view: all of them, or one montage."""
    if len(pngs) > 1 and settings.arrangement == "montage":
        return {"+".join(pngs): montage(list(pngs.values()), settings.size)}
    return {str(view): png for view, png in pngs.items()}


def write_pictures(
    folder: Path, mat_id: str, scene: CrystalScene, pngs: Mapping[str, bytes]
) -> list[Picture]:
    """Write the pictures of a material."""
    pictures = []
    for view, png in pngs.items():
        image = image_name(mat_id, view, len(pngs))
        with atomic_path(folder / image) as part:
            part.write_bytes(png)
        digest = hashlib.sha256(png).hexdigest()
        pictures.append(Picture(mat_id, view, image, digest, scene.n_bonds, scene.bonding_failure))
    return pictures


def image_name(mat_id: str, view: str, n_pictures: int) -> str:
    """Return the file name of a material's picture; with several pictures, each view has a folder."""
    return f"{mat_id}.png" if n_pictures == 1 else f"{view}/{mat_id}.png"
