"""CrystalNN's bonds and a structure graph's neighbours: pymatgen's own numbers, computed faster.

No calculation is changed, so that bonds are the same to the last bit; only work whose result is never used
is left out.
"""

import math
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np
from pymatgen.analysis.graphs import StructureGraph
from pymatgen.core import Element, Lattice, PeriodicNeighbor, PeriodicSite, Species, Structure, local_env
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


def norm(vector: np.ndarray) -> float:
    """Return the length of a vector; NumPy's function, made for all norms, is four times slower."""
    return math.sqrt(vector.dot(vector))


_NUMPY = SimpleNamespace(**{**vars(np), "cross": cross, "linalg": SimpleNamespace(norm=norm)})


# Sites in one tessellation, which starts with a few hundred.  For a flat layer, Qhull takes half a minute for
# this many, and four times as long for twice as many.
MAX_TESSELLATED_SITES = 10_000


class SearchTooWideError(Exception):
    """The Voronoi neighbours of a site are so far away that too many sites lie in between."""


class Point(NamedTuple):
    """A site near another one."""

    coords: np.ndarray
    frac_coords: np.ndarray
    distance: float
    site: int
    image: tuple[int, int, int]


class SearchedStructure:
    """What VoronoiNN uses of a structure; most of the sites that it finds have no face and remain points."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self.lattice: Lattice = structure.lattice

    @property
    def elements(self) -> list[Element | Species]:
        """The elements in the structure."""
        elements: list[Element | Species] = self._structure.elements
        return elements

    def __getitem__(self, n: int) -> PeriodicSite:
        """Return a site."""
        site: PeriodicSite = self._structure[n]
        return site

    def get_sites_in_sphere(self, center: np.ndarray, radius: float) -> list[tuple[Point, float]]:
        """Return the same sites as pymatgen, as points, and their distances."""
        matrix, found = self.lattice.matrix, []
        coords = self._structure.frac_coords
        for frac_coords, distance, index, image in self.lattice.get_points_in_sphere(coords, center, radius):
            point = Point(frac_coords.dot(matrix), frac_coords, distance, index, tuple(image))
            found.append((point, distance))
        return found

    def sites_within(self, radius: float) -> float:
        """Estimate the number of sites in a sphere; the radius is in A."""
        lattice = self.lattice.get_lll_reduced_lattice()
        a, b, _ = sorted(lattice.matrix, key=norm)
        # Lattice points in a sphere: along a line, in a plane and in space.
        in_plane = math.pi * radius**2 / norm(cross(a, b))
        in_space = 4 / 3 * math.pi * radius**3 / lattice.volume
        return len(self._structure) * (1 + 2 * radius / norm(a) + in_plane + in_space)

    def neighbour(self, point: Point) -> PeriodicNeighbor:
        """Return the site of a point."""
        site = self._structure[point.site]
        return PeriodicNeighbor(
            site.species,
            point.frac_coords,
            self.lattice,
            properties=site.properties,
            nn_distance=point.distance,
            index=point.site,
            image=point.image,
            label=site.label,
        )


class SiteVoronoiNN(VoronoiNN):
    """Voronoi neighbours of one site in a tessellation of hundreds of sites.

    The faces of all other sites are dropped at once, and faces that share an edge are not searched for.  The
    search stops before it uses up the memory, as it would in a cell with a very long axis.
    """

    _cutoff: float
    _searched: SearchedStructure | None = None

    @property
    def cutoff(self) -> float:
        """Radius of the search, A, which pymatgen doubles until it finds neighbours on all sides."""
        return self._cutoff

    @cutoff.setter
    def cutoff(self, radius: float) -> None:
        if self._searched is not None and self._searched.sites_within(radius) > MAX_TESSELLATED_SITES:
            raise SearchTooWideError(
                f"more than {MAX_TESSELLATED_SITES:,} other sites lie within {radius:.0f} A of a site"
            )
        self._cutoff = radius

    def get_voronoi_polyhedra(self, structure: Structure, n: int) -> dict[int, dict[str, Any]]:
        """Return the Voronoi polyhedron of a site, as pymatgen does."""
        self._searched = SearchedStructure(structure)
        polyhedra: dict[int, dict[str, Any]] = super().get_voronoi_polyhedra(
            self._searched,  # type: ignore[arg-type]
            n,
        )
        return polyhedra

    _cell_info = using(
        VoronoiNN._extract_cell_info,
        np=_NUMPY,
        solid_angle=using(local_env.solid_angle, np=_NUMPY),
        vol_tetra=using(local_env.vol_tetra, np=_NUMPY),
    )

    def _extract_cell_info(
        self, site_idx: int, points: list[Point], targets: Any, voro: Any, *_: Any
    ) -> dict[int, dict[str, Any]]:
        searched = cast("SearchedStructure", self._searched)
        own = np.flatnonzero((voro.ridge_points == site_idx).any(axis=1))
        faces = {tuple(voro.ridge_points[face].tolist()): voro.ridge_vertices[face] for face in own}
        cell = SimpleNamespace(vertices=voro.vertices, ridge_dict=faces)
        sites = {point: searched.neighbour(points[point]) for point in {site_idx}.union(*faces)}
        neighbours: dict[int, dict[str, Any]] = self._cell_info(site_idx, sites, targets, cell)
        return neighbours


class SiteCrystalNN(CrystalNN):
    """CrystalNN based on `SiteVoronoiNN`."""

    get_nn_data = using(CrystalNN.get_nn_data, VoronoiNN=SiteVoronoiNN)


class Bond(NamedTuple):
    """A bond of a site in cell (0, 0, 0), as in `ConnectedSite`."""

    site: int
    jimage: tuple[int, int, int]
    weight: Any
    dist: float


def bonds_of(graph: StructureGraph, n: int) -> list[Bond]:
    """Return the bonds to the same sites as ``graph.get_connected_sites(n)``, in no particular order.

    pymatgen converts each neighbour to a dictionary and back.
    """
    edges = [(v, data, 1) for _, v, data in graph.graph.out_edges(n, data=True)]
    edges += [(u, data, -1) for u, _, data in graph.graph.in_edges(n, data=True)]
    bonds: dict[tuple[int, tuple[int, int, int]], Bond] = {}
    for index, data, sign in edges:
        a, b, c = (sign * int(shift) for shift in data["to_jimage"])
        if (index, (a, b, c)) not in bonds:
            distance = graph.structure[n].distance(graph.structure[index], jimage=(a, b, c))
            bonds[index, (a, b, c)] = Bond(index, (a, b, c), data.get("weight"), distance)
    return list(bonds.values())


def periodic_image(site: PeriodicSite, jimage: tuple[int, int, int]) -> PeriodicSite:
    """Return the same site in another cell."""
    return PeriodicSite(
        site.species,
        np.add(site.frac_coords, jimage),
        site.lattice,
        properties=site.properties,
        label=site.label,
        skip_checks=True,
    )
