"""The powder pattern of a crystal as a vector of fixed length."""

import numpy as np
from numpy.typing import NDArray
from pymatgen.analysis.diffraction.xrd import WAVELENGTHS, XRDCalculator
from pymatgen.core import Element, Lattice, Structure

from polyfacet.facets.declaration import FacetError
from polyfacet.materials.crystal import Crystal, crystal_from_structure, primitive_crystal

Array = NDArray[np.float64]

# Radiation of most diffractometers; with it, the bins cover angles 2 theta from 5.6 to 85.2 degrees.
RADIATION = "CuKa"
WAVELENGTH_A = WAVELENGTHS[RADIATION]
# Edges of the bins, in scattering vector q = 2 pi / d, 1/A.  In q, unlike in angles, the orders of a plane's
# reflection are equally far apart, whatever the wavelength.
LOWEST_Q, BIN_WIDTH, N_BINS = 0.4, 0.04, 128
HIGHEST_Q = LOWEST_Q + N_BINS * BIN_WIDTH
# Standard deviation of a line, 1/A: a lattice that is 1 % longer shifts a line by at most 1.4 times this.
LINE_WIDTH = 0.04
# Lines beyond the edges reach in from this far, 1/A.
MARGIN = 4 * LINE_WIDTH
# So many take pymatgen six seconds: it compares each with all others.
MAX_REFLECTIONS = 50_000


def powder_pattern(structure: Structure) -> list[float]:
    """Return the share of the diffracted intensity in each of 128 bins of q, which add up to 1.

    Raises
    ------
    FacetError
        If a site is shared or partially occupied, atoms coincide, an element has no scattering factor, or the
        primitive cell is too large.
    """
    try:
        crystal = primitive_crystal(crystal_from_structure(structure))
        _check_size(crystal)
        lines, intensities = _reflections(crystal)
    except ValueError as error:
        raise FacetError(str(error)) from error
    bins = _broadened(lines, intensities)
    if not bins.sum() > 0:
        raise FacetError(f"no reflection is between {LOWEST_Q:g} and {HIGHEST_Q:g} 1/A")
    return (bins / bins.sum()).tolist()


def bin_centres() -> Array:
    """Return the scattering vectors q = 2 pi / d at the centres of the bins, 1/A, shape ``(128,)``."""
    return np.asarray(LOWEST_Q + BIN_WIDTH * (np.arange(N_BINS) + 0.5), dtype=np.float64)


def _check_size(crystal: Crystal) -> None:
    """Reject a cell with more reflections than pymatgen can handle: lattice points in a sphere."""
    n_reflections = crystal.volume * (HIGHEST_Q + MARGIN) ** 3 / (6 * np.pi**2)
    if n_reflections > MAX_REFLECTIONS:
        raise FacetError(
            f"the primitive cell of {crystal.volume:.0f} A^3 has about {n_reflections:.0f} reflections, more "
            f"than {MAX_REFLECTIONS}"
        )


def _reflections(crystal: Crystal) -> tuple[Array, Array]:
    """Return the scattering vectors of all lines, 1/A, and their intensities, with polarization."""
    species = [Element.from_Z(int(number)) for number in crystal.atomic_numbers]
    cell = Structure(Lattice(crystal.lattice), species, crystal.cart_coords, coords_are_cartesian=True)
    angles = _two_theta(LOWEST_Q - MARGIN), _two_theta(HIGHEST_Q + MARGIN)
    found = XRDCalculator(RADIATION).get_pattern(cell, scaled=True, two_theta_range=angles)
    return 2 * np.pi / np.array(found.d_hkls), np.array(found.y)


def _two_theta(q: float) -> float:
    """Return the angle between incoming and diffracted beam, degrees."""
    return float(2 * np.degrees(np.arcsin(q * WAVELENGTH_A / (4 * np.pi))))


def _broadened(lines: Array, intensities: Array) -> Array:
    """Return the intensity at the centre of each bin, lines being Gaussian."""
    apart = (bin_centres()[:, None] - lines) / LINE_WIDTH
    return np.asarray(np.exp(-(apart**2) / 2) @ intensities)
