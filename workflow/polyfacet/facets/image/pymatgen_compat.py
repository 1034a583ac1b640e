"""CrystalNN's bonds and a structure graph's neighbours: pymatgen's own numbers, computed faster.

No calculation is changed, so that bonds are the same to the last bit; only work whose result is never used
is left out.
"""

import math
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from pymatgen.analysis.graphs import ConnectedSite, StructureGraph
from pymatgen.core import PeriodicSite, Structure, local_env
from pymatgen.core.local_env import CrystalNN, VoronoiNN

from polyfacet.runtime.upstream import written_for

written_for(__name__, "pymatgen-core", "2026.7.16")


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cross product of two vectors; NumPy's, made for arrays of vectors, is ten times slower."""
    a0, a1, a2 = a.tolist()
    b0, b1, b2 = b.tolist()
    return np.array([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0])


def using(function: Any, **names: Any) -> Any:
    """Copy a function with some of its global names replaced."""
    return FunctionType(function.__code__, {**function.__globals__, **names}, argdefs=function.__defaults__)


_NUMPY = SimpleNamespace(**{**vars(np), "cross": cross})


# Sites in one tessellation, which starts with a few hundred.  For a flat layer, Qhull takes half a minute for
# this many, and four times as long for twice as many.
MAX_TESSELLATED_SITES = 10_000


class SearchTooWideError(Exception):
    """The Voronoi neighbours of a site are so far away that too many sites lie in between."""


class SiteVoronoiNN(VoronoiNN):
    """Voronoi neighbours of one site in a tessellation of hundreds of sites.

    The faces of all other sites are dropped at once, and faces that share an edge are not searched for.  The
    search stops before it uses up the memory, as it would in a cell with a very long axis.
    """

    _cutoff: float
    _lattice: tuple[int, float, float, float] | None = None

    @property
    def cutoff(self) -> float:
        """Radius of the search, A, which pymatgen doubles until it finds neighbours on all sides."""
        return self._cutoff

    @cutoff.setter
    def cutoff(self, radius: float) -> None:
        if self._lattice is not None:
            n_sites, length, area, volume = self._lattice
            # Lattice points in a sphere: along a line, in a plane and in space.
            in_space = 4 / 3 * math.pi * radius**3 / volume
            points = 1 + 2 * radius / length + math.pi * radius**2 / area + in_space
            if n_sites * points > MAX_TESSELLATED_SITES:
                raise SearchTooWideError(
                    f"more than {MAX_TESSELLATED_SITES:,} other sites lie within {radius:.0f} A of a site"
                )
        self._cutoff = radius

    def get_voronoi_polyhedra(self, structure: Structure, n: int) -> dict[int, dict[str, Any]]:
        """Return the Voronoi polyhedron of a site, as pymatgen does."""
        lattice = structure.lattice.get_lll_reduced_lattice()
        a, b, _ = sorted(lattice.matrix, key=np.linalg.norm)
        area = float(np.linalg.norm(np.cross(a, b)))
        self._lattice = (len(structure), float(np.linalg.norm(a)), area, lattice.volume)
        polyhedra: dict[int, dict[str, Any]] = super().get_voronoi_polyhedra(structure, n)
        return polyhedra

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
    """CrystalNN based on `SiteVoronoiNN`."""

    get_nn_data = using(CrystalNN.get_nn_data, VoronoiNN=SiteVoronoiNN)


# Distances between the two sites of a bond, A, by their indices and the cell of the second one.
Distances = dict[tuple[int, int, tuple[int, int, int]], float]


def connected_sites(
    graph: StructureGraph,
    n: int,
    jimage: tuple[int, int, int] = (0, 0, 0),
    distances: Distances | None = None,
) -> list[ConnectedSite]:
    """Return the same sites as ``graph.get_connected_sites``, in no particular order.

    pymatgen converts each neighbour to a dictionary and back; here it is only translated.  ``distances``
    keeps distances for further calls for the same graph.
    """
    distances = {} if distances is None else distances
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
        bond = (n, index, tuple(relative.tolist()))
        if bond not in distances:
            distances[bond] = graph.structure[n].distance(there, jimage=relative)
        found[index, (a, b, c)] = ConnectedSite(site, (a, b, c), index, data.get("weight"), distances[bond])
    return list(found.values())
