"""Pictures of materials: from CIF files to PNG files, with a reason for each one that is missing."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from polyfacet.files import atomic_path
from polyfacet.identifiers import invalid_mat_id_reason
from polyfacet.rejects import Reject
from polyfacet.rendering.capture import PictureError
from polyfacet.rendering.drawable import CrystalScene, SceneError
from polyfacet.rendering.settings import View
from polyfacet.rendering.studio import Studio


@dataclass(frozen=True)
class Picture:
    """A picture that was made; its attributes but the view are the columns of ``stage_tables.PICTURES``."""

    mat_id: str
    view: View
    image: str
    sha256: str
    n_bonds: int
    bonding_failure: str | None

    def row(self) -> dict[str, Any]:
        """Give the picture as a row of its table."""
        return {name: value for name, value in asdict(self).items() if name != "view"}


def render_structures(
    items: Iterable[tuple[str, Path]], folder: Path, studio: Studio
) -> Iterator[list[Picture] | Reject]:
    """Draw structures.

    Parameters
    ----------
    items
        Identifier and CIF file of each material.
    folder
        Where the pictures go; each file appears whole or not at all.
    studio
        A studio that is open.

    Yields
    ------
    list of Picture, or Reject
        One for each item, in their order: the pictures of all views, or a reject that carries the reason.
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
            yield Reject(mat_id, str(shot))
        else:
            yield write_pictures(folder, mat_id, *shot)


def write_pictures(
    folder: Path, mat_id: str, scene: CrystalScene, pngs: Mapping[View, bytes]
) -> list[Picture]:
    """Write the pictures of a material's views."""
    pictures = []
    for view, png in pngs.items():
        image = image_name(mat_id)
        with atomic_path(folder / image) as part:
            part.write_bytes(png)
        digest = hashlib.sha256(png).hexdigest()
        pictures.append(Picture(mat_id, view, image, digest, scene.n_bonds, scene.bonding_failure))
    return pictures


def image_name(mat_id: str) -> str:
    """Name the file of a material's picture."""
    return f"{mat_id}.png"
