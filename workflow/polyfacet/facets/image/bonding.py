"""The bonds of a crystal, in the same order in every process."""

import warnings
from functools import cached_property

from pymatgen.analysis.graphs import ConnectedSite
from pymatgen.core import PeriodicSite, Structure

from polyfacet.facets.image.crystal_toolkit_compat import DrawnGraph, Site
from polyfacet.facets.image.pymatgen_compat import Bond, SiteCrystalNN, bonds_of, periodic_image
from polyfacet.runtime.machine_failures import raise_machine_failure

# Distances that agree to this many decimals (A) are equal, whatever their last bits.
DISTANCE_DECIMALS = 5
# The case for noble gases, isolated atoms and atoms far apart.
NO_BONDS = "CrystalNN finds no bonds"


class OrderedStructureGraph(DrawnGraph):
    """A structure graph whose neighbours are in the same order in every process.

    The order determines how translucent polyhedra are blended; pymatgen's order depends on memory addresses
    where distances are equal.  Bonds are not added after neighbours have been asked for.
    """

    @cached_property
    def _bonds(self) -> list[list[Bond]]:
        """Bonds of each site by length, then site index, then cell."""
        return [
            sorted(
                bonds_of(self, n),
                key=lambda bond: (round(bond.dist, DISTANCE_DECIMALS), bond.site, bond.jimage),
            )
            for n in range(len(self.structure))
        ]

    @cached_property
    def _images(self) -> dict[Site, PeriodicSite]:
        """Sites in the cells where they have been needed."""
        return {}

    def get_connected_sites(self, n: int, jimage: tuple[int, int, int] = (0, 0, 0)) -> list[ConnectedSite]:
        """Return the neighbours of site ``n`` in cell ``jimage`` by distance, then site index, then cell."""
        a, b, c = jimage
        found = []
        for index, (i, j, k), weight, dist in self._bonds[n]:
            cell = (a + i, b + j, c + k)
            found.append(ConnectedSite(self._image(index, cell), cell, index, weight, dist))
        return found

    def _image(self, index: int, cell: tuple[int, int, int]) -> PeriodicSite:
        if (index, cell) not in self._images:
            self._images[index, cell] = periodic_image(self.structure[index], cell)
        return self._images[index, cell]


def bonded(structure: Structure) -> tuple[OrderedStructureGraph, str | None]:
    """Find the bonds of an ordered crystal with CrystalNN.

    Returns
    -------
    tuple of OrderedStructureGraph and str or None
        The crystal with its bonds, and None; if there are no bonds, or they cannot be determined, the crystal
        without bonds and the reason.
    """
    try:
        with warnings.catch_warnings():
            # CrystalNN warns about missing oxidation states and radii for nearly every structure.
            warnings.simplefilter("ignore")
            graph = OrderedStructureGraph.from_local_env_strategy(structure, SiteCrystalNN())
    except Exception as error:
        raise_machine_failure(error)
        # CrystalNN fails in many ways (no Voronoi neighbours in 3 % of chains in vacuum, Qhull's own errors).
        return unbonded(structure), f"{type(error).__name__}: {error}"
    return graph, None if graph.graph.number_of_edges() else NO_BONDS


def unbonded(structure: Structure) -> OrderedStructureGraph:
    """Return a crystal without bonds."""
    return OrderedStructureGraph.from_empty_graph(structure)
