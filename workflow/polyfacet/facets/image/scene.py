"""The scenes of a crystal that Crystal Toolkit's viewer draws."""

import json
from typing import Any

import numpy as np
from crystal_toolkit.core.legend import Legend
from crystal_toolkit.core.scene import Cylinders, Scene, Spheres
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SymmetryUndeterminedError

from polyfacet.config.images import Cell
from polyfacet.facets.image.bonding import OrderedStructureGraph, bonded, unbonded
from polyfacet.facets.image.crystal_toolkit_compat import as_json, compass
from polyfacet.facets.image.disorder import most_frequent_species, shared_spheres
from polyfacet.facets.image.drawable import SCENE_NAME, CrystalScene, SceneError
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.standard_cell import standard_cell
from polyfacet.facets.image.vacuum import vacuum_of, without_vacuum
from polyfacet.facets.image.views import centered, rotation_of_view, turned
from polyfacet.materials.cell_size import CellTooLargeError, check_cell_size


def crystal_scene(structure: Structure, settings: RenderSettings) -> CrystalScene:
    """Make the scenes of a crystal, one per view: atoms, bonds, coordination polyhedra, unit cell.

    Parameters
    ----------
    structure
        The crystal; its site properties are not drawn (magnetic moments would become arrows).  A site shared
        by several species shows all of them and has the bonds of the most frequent one.
    settings
        What to draw.

    Raises
    ------
    SceneError
        If coordinates are not finite, the requested cell cannot be found, or it has too many sites.
    """
    _check_size(structure, settings)
    structure = _bare(_in_cell(structure, settings.cell))
    _check_size(structure, settings)
    ordered = most_frequent_species(structure)
    graph, bonding_failure = bonded(ordered) if settings.bonds else (unbonded(ordered), None)
    if settings.vacuum == "trim" and (begins := vacuum_of(structure)):
        n_bonds = graph.graph.number_of_edges()
        graph = without_vacuum(graph, begins)
        if n_bonds and not graph.graph.number_of_edges():
            bonding_failure = "all bonds cross the vacuum"
    drawn = _drawn(graph, structure, settings)
    views = {}
    for view in settings.views:
        scene = turned(drawn, rotation_of_view(view, graph.structure.lattice))
        views[view] = _json(centered(scene) if settings.centered else scene)
    return CrystalScene(views, graph.graph.number_of_edges(), bonding_failure)


def _check_size(structure: Structure, settings: RenderSettings) -> None:
    try:
        check_cell_size(len(structure), settings.max_sites, "images")
    except CellTooLargeError as error:
        raise SceneError(str(error)) from error


def _in_cell(structure: Structure, cell: Cell) -> Structure:
    """Describe a crystal with another unit cell."""
    if cell == "given":
        return structure
    try:
        return standard_cell(structure, cell)
    except (SymmetryUndeterminedError, TypeError, ValueError) as error:
        raise SceneError(f"its {cell} cell cannot be found: {error}") from error


def _bare(structure: Structure) -> Structure:
    """Copy a structure without site properties and with every site in the unit cell."""
    return Structure(structure.lattice, structure.species_and_occu, np.mod(structure.frac_coords, 1))


def _drawn(graph: OrderedStructureGraph, structure: Structure, settings: RenderSettings) -> dict[str, Any]:
    """Let Crystal Toolkit draw a crystal, as its JSON.

    Parameters
    ----------
    graph
        The sites with one species each, and the bonds.
    structure
        The same sites with all their species.
    settings
        What to draw.
    """
    which = {
        "draw_image_atoms": True,
        "bonded_sites_outside_unit_cell": settings.bonded_sites_outside_unit_cell,
    }
    legend = Legend(graph.structure, color_scheme=settings.colors, radius_scheme="uniform")
    scene = graph.scene(legend, **which)
    scene.name = SCENE_NAME
    shown = {"unit_cell": settings.unit_cell, "polyhedra": settings.polyhedra}
    scene.contents = [part for part in scene.contents if shown.get(part.name, True)]
    for part in scene.contents:
        if part.name == "atoms" and not structure.is_ordered:
            part.contents = _all_species(graph, structure, which, legend)
    if settings.show_compass:
        scene.contents.append(compass(graph.structure.lattice))
    _remove_interaction(scene)
    return as_json(scene)


def _all_species(
    graph: OrderedStructureGraph, structure: Structure, which: dict[str, bool], legend: Legend
) -> list[Spheres]:
    """Draw the sites that the graph would draw, with all their species."""
    atoms = []
    for index, image in graph.sites_to_draw(**which):
        coords = np.array(graph.structure[index].frac_coords) + image
        position = graph.structure.lattice.get_cartesian_coords(coords).tolist()
        atoms += shared_spheres(structure[index].species, [position], legend)
    return atoms


def _remove_interaction(scene: Scene) -> None:
    """Remove what only mouse interaction needs, so that atoms that look the same merge into one primitive."""
    for part in scene.contents:
        for primitive in part.contents:
            if isinstance(primitive, Spheres | Cylinders):
                primitive.tooltip = None
                primitive.clickable = False


def _json(scene: dict[str, Any]) -> str:
    try:
        return json.dumps(scene, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise SceneError(f"the scene contains numbers that are not finite ({error})") from error
