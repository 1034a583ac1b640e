"""Crystals whose sites are shared by several species or partially occupied."""

from collections.abc import Iterator

import numpy as np
from crystal_toolkit.core.legend import Legend
from crystal_toolkit.core.scene import Spheres
from pymatgen.core import Composition, Structure

VACANCY_COLOR = "#ffffff"
# Smaller shares are rounding errors of the occupancies.
NEGLIGIBLE_SHARE = 1e-3


def most_frequent_species(structure: Structure) -> Structure:
    """Assign each site to its most frequent species, or to the first by name among equals.

    Bonds and coordination polyhedra are defined for ordered crystals only.
    """
    if structure.is_ordered:
        return structure
    species = [
        min(occupants.items(), key=lambda item: (-item[1], str(item[0])))[0]
        for occupants in structure.species_and_occu
    ]
    return Structure(structure.lattice, species, structure.frac_coords)


def shared_spheres(occupants: Composition, positions: list[list[float]], legend: Legend) -> list[Spheres]:
    """Draw sites with the same occupants: spheres with a sector per occupant, and a white one for vacancies.

    The sectors are like segments of an orange.  The viewer sees angles from 0 to pi; each half of a sphere
    shows all occupants, so that they are visible from the front and from the back.

    Parameters
    ----------
    occupants
        Species and their occupancies.
    positions
        Cartesian positions of the sites, A, shape ``(n, 3)``.
    legend
        Colours and radii.
    """
    shares = [(legend.get_color(species), float(share)) for species, share in occupants.items()]
    shares.append((VACANCY_COLOR, 1 - occupants.num_atoms))
    radius = legend.get_radius(next(iter(occupants)))
    sectors = list(_sectors(shares))
    if len(sectors) == 1:
        return [Spheres(positions, color=sectors[0][0], radius=radius)]
    return [
        # The viewer interprets `phiEnd` as the width of the sector.
        Spheres(positions, color=color, radius=radius, phiStart=start, phiEnd=width)
        for color, first, width in sectors
        for start in (first, first + np.pi)
    ]


def _sectors(shares: list[tuple[str, float]]) -> Iterator[tuple[str, float, float]]:
    """Divide half a turn among the shares: yield colour, first angle and width of each visible one."""
    first = 0.0
    for color, share in shares:
        width = np.pi * share
        if share > NEGLIGIBLE_SHARE:
            yield color, first, width
        first += width
