"""Uses of Crystal Toolkit beyond its public interface: the sites it draws, and its compass."""

from dataclasses import fields
from typing import Any

from crystal_toolkit.core.legend import Legend
from crystal_toolkit.core.scene import Primitive, Scene
from crystal_toolkit.renderables.lattice import _axes_from_lattice
from pymatgen.analysis.graphs import StructureGraph
from pymatgen.core import Lattice

from polyfacet.runtime.upstream import written_for

written_for(__name__, "crystal-toolkit", "2026.7.20")

Site = tuple[int, tuple[int, int, int]]


class DrawnGraph(StructureGraph):
    """A structure graph that Crystal Toolkit draws with the methods it adds to pymatgen's class.

    Attributes
    ----------
    bounded_axes
        Indices of the lattice vectors along which the crystal is not periodic.
    """

    bounded_axes: tuple[int, ...] = ()

    def scene(self, legend: Legend, **which: bool) -> Scene:
        """Draw the graph; ``which`` has the same keys as for `sites_to_draw`."""
        return self.get_scene(**which, hide_incomplete_edges=True, legend=legend)  # type: ignore[attr-defined]

    def sites_to_draw(self, **which: bool) -> list[Site]:
        """Return the sites that are drawn, each with its cell, in sorted order."""
        return sorted(self._get_sites_to_draw(**which))

    def _get_sites_to_draw(self, *args: Any, **kwargs: Any) -> set[Site]:
        """Return the sites that Crystal Toolkit draws, with their cells; none beyond bounded axes."""
        sites = super()._get_sites_to_draw(*args, **kwargs)  # type: ignore[misc]
        return {
            (index, image) for index, image in sites if not any(image[axis] for axis in self.bounded_axes)
        }


def compass(lattice: Lattice) -> Scene:
    """Return a scene that shows the directions of the lattice vectors."""
    return _axes_from_lattice(lattice)


def as_json(scene: Scene) -> dict[str, Any]:
    """Return ``scene.to_json()``, which would copy every number twice; merges the scene's primitives."""
    merged = Scene(scene.name, Scene.merge_primitives(scene.contents), scene.origin, lattice=scene.lattice)
    return _without_defaults(merged)


def _without_defaults(part: Scene | Primitive) -> dict[str, Any]:
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    if isinstance(part, Scene):
        values["contents"] = [_without_defaults(inner) for inner in part.contents]
    return {name: value for name, value in values.items() if value is not None}
