"""A crystal as the scene that Crystal Toolkit's viewer draws."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from crystal_toolkit.core.legend import Legend
from crystal_toolkit.core.scene import Cylinders, Lines, Scene, Spheres
from crystal_toolkit.renderables.lattice import _axes_from_lattice
from pymatgen.analysis.graphs import ConnectedSite, StructureGraph
from pymatgen.core import Lattice, Structure

from polyfacet.rendering.drawable import SCENE_NAME, CrystalScene, SceneError
from polyfacet.rendering.neighbours import SiteCrystalNN, connected_sites
from polyfacet.rendering.settings import RenderSettings, View

# Distances that agree to this many decimals (A) are a tie, whatever the last bits of the arithmetic say.
DISTANCE_DECIMALS = 5
# Cartesian axes of the crystal that become right, up and towards the viewer; cyclic, so handedness is kept.
AXES_OF_VIEW: dict[View, list[int]] = {"x": [1, 2, 0], "y": [2, 0, 1], "z": [0, 1, 2]}


class OrderedStructureGraph(StructureGraph):
    """A structure graph whose neighbours come in the same order in every process.

    The order decides how translucent polyhedra are blended; pymatgen's own follows memory addresses where
    distances are equal.
    """

    def get_connected_sites(self, n: int, jimage: tuple[int, int, int] = (0, 0, 0)) -> list[ConnectedSite]:
        """Give the neighbours of site ``n`` of cell ``jimage`` by distance, then site index, then cell."""
        return sorted(
            connected_sites(self, n, jimage),
            key=lambda other: (round(other.dist, DISTANCE_DECIMALS), other.index, other.jimage),
        )


def crystal_scene(structure: Structure, settings: RenderSettings) -> CrystalScene:
    """Make the scene of a crystal: atoms, bonds, coordination polyhedra, unit cell.

    Parameters
    ----------
    structure
        An ordered structure; its site properties are not drawn (magnetic moments would become arrows).
    settings
        What to draw.

    Raises
    ------
    SceneError
        If sites are disordered or coordinates are not finite.
    """
    if not structure.is_ordered:
        raise SceneError("sites with partial occupancy: bonds are not defined")
    graph, bonding_failure = _bonded(_bare(structure, settings.view), bonds=settings.bonds)
    scene = graph.get_scene(  # type: ignore[attr-defined]  # Crystal Toolkit adds it
        draw_image_atoms=True,
        bonded_sites_outside_unit_cell=settings.bonded_sites_outside_unit_cell,
        hide_incomplete_edges=True,
        legend=Legend(graph.structure, color_scheme=settings.colors, radius_scheme="uniform"),
    )
    scene.name = SCENE_NAME
    if not settings.unit_cell:
        scene.contents = [part for part in scene.contents if part.name != "unit_cell"]
    if settings.centered:
        _center(scene)
    if settings.show_compass:
        scene.contents.append(_axes_from_lattice(graph.structure.lattice))
    _forget_single_atoms(scene)
    try:
        text = json.dumps(scene.to_json(), default=_as_list, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise SceneError(f"the scene holds numbers that are not finite ({error})") from error
    return CrystalScene({settings.view: text}, graph.graph.number_of_edges(), bonding_failure)


def _bare(structure: Structure, view: View) -> Structure:
    """Copy without site properties, every site in the unit cell, the axis ``view`` towards the viewer."""
    lattice = Lattice(structure.lattice.matrix[:, AXES_OF_VIEW[view]])
    return Structure(lattice, structure.species, np.mod(structure.frac_coords, 1))


def _bonded(structure: Structure, *, bonds: bool) -> tuple[OrderedStructureGraph, str | None]:
    """Find the bonds; where that fails, give a graph without bonds and the reason."""
    unbonded = OrderedStructureGraph.from_empty_graph(structure)
    if not bonds:
        return unbonded, None
    try:
        with warnings.catch_warnings():
            # CrystalNN warns of missing oxidation states and radii on nearly every structure.
            warnings.simplefilter("ignore")
            return OrderedStructureGraph.from_local_env_strategy(structure, SiteCrystalNN()), None
    except Exception as error:
        # CrystalNN fails in many ways (no Voronoi neighbours in 3 % of chains in vacuum, Qhull's own errors).
        return unbonded, f"{type(error).__name__}: {error}"


def _center(scene: Scene) -> None:
    """Move the scene so that the box around it has its middle at the origin, which the viewer looks at."""
    corners = [
        np.array(primitive.positions) + offset
        for primitive in _primitives(scene)
        # Bonds and polyhedra lie between atoms.
        if isinstance(primitive, Spheres | Lines)
        for offset in (getattr(primitive, "radius", 0), -getattr(primitive, "radius", 0))
    ]
    points = np.concatenate(corners)  # (n, 3), A
    origin = -(points.min(axis=0) + points.max(axis=0)) / 2
    for part in scene.contents:
        part.origin = origin.tolist()


def _forget_single_atoms(scene: Scene) -> None:
    """Remove what only a mouse needs, so that the scene's atoms of one colour merge into one primitive."""
    for primitive in _primitives(scene):
        if isinstance(primitive, Spheres | Cylinders):
            primitive.tooltip = None
            primitive.clickable = False


def _primitives(scene: Scene) -> Iterator[Any]:
    for item in scene.contents:
        if isinstance(item, Scene):
            yield from _primitives(item)
        else:
            yield item


def _as_list(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} in a scene")
