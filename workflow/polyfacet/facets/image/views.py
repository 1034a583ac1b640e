"""Viewing directions of a crystal.

The viewer looks along z only, so the crystal itself is rotated, without reflection.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from pymatgen.core import Lattice

from polyfacet.config.images import View

# The oblique view is that of usual crystal drawings: c upright, looking past a and slightly down.
AZIMUTH = np.radians(30)
ELEVATION = np.radians(20)


def rotation_of_view(view: View, lattice: Lattice) -> np.ndarray:
    """Return the rotation that turns a crystal so that it is seen from the direction of the view.

    Parameters
    ----------
    view
        ``x``, ``y``, ``z``: this Cartesian axis points at the viewer, the next one in cyclic order to the
        right.  ``a``, ``b``, ``c``: the same for lattice vectors, as far as their angle allows.
        ``oblique``: from between the lattice vectors, with c upright.
    lattice
        Lattice of the crystal.

    Returns
    -------
    numpy.ndarray
        Rotation matrix, shape ``(3, 3)``; its rows are the directions that become right, up and towards
        the viewer.
    """
    if view == "oblique":
        return _oblique(lattice.matrix)
    cartesian = view in ("x", "y", "z")
    directions, axis = (np.eye(3), "xyz".index(view)) if cartesian else (lattice.matrix, "abc".index(view))
    return _frame(directions[axis], right=directions[axis - 2])


def turned(scene: dict[str, Any], rotation: np.ndarray) -> dict[str, Any]:
    """Copy a scene in Crystal Toolkit's JSON, rotated about the origin."""
    vectors = ("positions", "positionPairs", "origin")
    copy = scene | {key: (np.asarray(scene[key]) @ rotation.T).tolist() for key in vectors if key in scene}
    if "contents" in scene:
        copy["contents"] = [turned(part, rotation) for part in scene["contents"]]
    return copy


def centered(scene: dict[str, Any]) -> dict[str, Any]:
    """Copy a scene in Crystal Toolkit's JSON, with the centre of its bounding box at the origin.

    The viewer looks at the origin.
    """
    corners = [
        np.array(primitive["positions"]) + offset
        for primitive in _primitives(scene)
        # Bonds and polyhedra lie between atoms.
        if primitive["type"] in ("spheres", "lines")
        for offset in (primitive.get("radius", 0), -primitive.get("radius", 0))
    ]
    points = np.concatenate(corners)  # (n, 3), A
    origin = (-(points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return scene | {"contents": [part | {"origin": origin} for part in scene["contents"]]}


def _frame(towards: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the directions right, up and towards the viewer; ``right`` is made perpendicular."""
    towards = _unit(towards)
    right = _unit(right - (right @ towards) * towards)
    return np.array([right, np.cross(towards, right), towards])


def _oblique(matrix: np.ndarray) -> np.ndarray:
    front, right, up = _frame(matrix[2], right=matrix[0])
    level = np.cos(AZIMUTH) * front + np.sin(AZIMUTH) * right
    return _frame(np.cos(ELEVATION) * level + np.sin(ELEVATION) * up, right=np.cross(up, level))


def _unit(vector: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vector / np.linalg.norm(vector)
    return unit


def _primitives(scene: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in scene["contents"]:
        if "contents" in item:
            yield from _primitives(item)
        else:
            yield item
