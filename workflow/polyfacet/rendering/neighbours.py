"""CrystalNN's bonds and a structure graph's neighbours: pymatgen's own numbers, without its detours.

Nothing is calculated in another way, so that bonds come out the same to the last bit; what is left out is
work whose result nobody looks at.
"""

from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from pymatgen.analysis.graphs import ConnectedSite, StructureGraph
from pymatgen.core import PeriodicSite, local_env
from pymatgen.core.local_env import CrystalNN, VoronoiNN


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Give the cross product of two vectors; NumPy's, made for arrays of them, takes ten times longer."""
    a0, a1, a2 = a.tolist()
    b0, b1, b2 = b.tolist()
    return np.array([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0])


def using(function: Any, **names: Any) -> Any:
    """Copy a function so that it finds other things under some global names."""
    return FunctionType(function.__code__, {**function.__globals__, **names}, argdefs=function.__defaults__)


_NUMPY = SimpleNamespace(**{**vars(np), "cross": cross})


class SiteVoronoiNN(VoronoiNN):
    """Voronoi neighbours of one site, of a tessellation that holds hundreds of them.

    The faces of all other sites are dropped at once, and faces that share an edge are not looked for.
    """

    _cell_info = using(
        VoronoiNN._extract_cell_info,
        solid_angle=using(local_env.solid_angle, np=_NUMPY),
        vol_tetra=using(local_env.vol_tetra, np=_NUMPY),
    )

    def _extract_cell_info(
        self, site_idx: int, sites: list[PeriodicSite], targets: Any, voro: Any, *_: Any
    ) -> dict[int, dict[str, Any]]:
        own = np.flatnonzero((voro.ridge_points == site_idx).any(axis=1))
        faces = {tuple(voro.ridge_points[face].tolist()): voro.ridge_vertices[face] for face in own}
        cell = SimpleNamespace(vertices=voro.vertices, ridge_dict=faces)
        neighbours: dict[int, dict[str, Any]] = self._cell_info(site_idx, sites, targets, cell)
        return neighbours


class SiteCrystalNN(CrystalNN):
    """CrystalNN on top of `SiteVoronoiNN`."""

    get_nn_data = using(CrystalNN.get_nn_data, VoronoiNN=SiteVoronoiNN)


def connected_sites(
    graph: StructureGraph, n: int, jimage: tuple[int, int, int] = (0, 0, 0)
) -> list[ConnectedSite]:
    """Give what ``graph.get_connected_sites`` gives, in no particular order.

    pymatgen writes each neighbour to a dictionary and reads it back; here it is only moved.
    """
    edges = [(v, data, 1) for _, v, data in graph.graph.out_edges(n, data=True)]
    edges += [(u, data, -1) for u, _, data in graph.graph.in_edges(n, data=True)]
    found: dict[tuple[int, tuple[int, int, int]], ConnectedSite] = {}
    for index, data, sign in edges:
        relative = sign * np.asarray(data["to_jimage"])
        a, b, c = (relative + jimage).tolist()
        if (index, (a, b, c)) in found:
            continue
        there = graph.structure[index]
        site = PeriodicSite(
            there.species,
            np.add(there.frac_coords, (a, b, c)),
            there.lattice,
            properties=there.properties,
            label=there.label,
            skip_checks=True,
        )
        distance = graph.structure[n].distance(there, jimage=relative)
        found[index, (a, b, c)] = ConnectedSite(site, (a, b, c), index, data.get("weight"), distance)
    return list(found.values())
