"""Compute the density of states at the Fermi level from bands interpolated between k-points.

The levels of a metal on an affordable grid of k-points lie far apart on the scale of the thermal broadening:
their sum is mostly noise. Bands are smooth where they do not cross. Cubic splines through the grid and the
same sum over a much finer one remove most of that noise without further calculations.
"""

from collections.abc import Sequence

import numpy as np
from electronic import FloatArray, dos_at_fermi_level
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import expit

#: Bands that come no closer to the Fermi level than this many widths are full or empty: their contribution to
#: the density of states is negligible, even if the Fermi level shifts by half of this distance.
WIDTHS_AROUND_FERMI_LEVEL = 40.0


def on_full_grid(eigenvalues: FloatArray, irreducible: ArrayLike, size: Sequence[int]) -> FloatArray:
    """Expand the levels of the irreducible k-points to the full grid.

    Parameters
    ----------
    eigenvalues : FloatArray, shape (n_spins, n_irreducible, n_bands)
        Levels in eV.
    irreducible : array of int, shape (n_kpoints,)
        Index of each k-point's equivalent among the irreducible ones; k-points in C order of the grid.
    size : sequence of int
        Size of the grid.

    Returns
    -------
    FloatArray, shape (n_spins, *size, n_bands)
        The levels of every k-point.
    """
    n_spins, _, n_bands = eigenvalues.shape
    return eigenvalues[:, np.asarray(irreducible)].reshape(n_spins, *size, n_bands)


def _refinement(n: int, factor: int) -> FloatArray:
    """Return the matrix that maps values on a periodic grid to those of its cubic spline on a finer one."""
    knots = np.arange(n + 1)
    spline = CubicSpline(knots, np.eye(n)[knots % n], bc_type="periodic")
    matrix: FloatArray = spline(np.arange(n * factor) / factor)
    return matrix


def refined(bands: FloatArray, factors: Sequence[int]) -> FloatArray:
    """Interpolate bands to a finer grid by cubic splines along its three directions.

    Parameters
    ----------
    bands : FloatArray, shape (n_spins, n_1, n_2, n_3, n_bands)
        Values that are periodic on the grid.
    factors : sequence of int
        Refinement factor along each direction.

    Returns
    -------
    FloatArray, shape (n_spins, n_fine, n_bands)
        The values of all points of the finer grid.
    """
    for axis, factor in enumerate(factors, start=1):
        matrix = _refinement(bands.shape[axis], factor)
        bands = np.moveaxis(np.tensordot(matrix, bands, axes=(1, axis)), 0, axis)
    return bands.reshape(len(bands), -1, bands.shape[-1])


def fermi_level(levels: FloatArray, electrons: float, width: float) -> float:
    """Find the Fermi level of a Fermi-Dirac distribution.

    Parameters
    ----------
    levels : FloatArray, shape (n_spins, n_kpoints, n_bands)
        Levels in eV of k-points with equal weights.
    electrons : float
        Electrons in a cell.
    width : float
        Width k_B T in eV.

    Returns
    -------
    float
        The level in eV.
    """
    states = 2.0 / levels.shape[0] / levels.shape[1]

    def surplus(level: float) -> float:
        return float(states * expit((level - levels) / width).sum()) - electrons

    margin = 20.0 * width
    return float(brentq(surplus, levels.min() - margin, levels.max() + margin, xtol=1e-7))


def interpolated_dos(
    grid: FloatArray, electrons: float, width: float, fineness: Sequence[int]
) -> tuple[float, float]:
    """Return the density of states at the Fermi level, summed over spins, from interpolated bands.

    Bands are distinguished by their order in energy. The Fermi level is that of the interpolated bands.

    Parameters
    ----------
    grid : FloatArray, shape (n_spins, n_1, n_2, n_3, n_bands)
        Levels in eV, ascending along the bands, on a regular grid that includes the gamma point.
    electrons : float
        Electrons in a cell.
    width : float
        Width k_B T of the Fermi-Dirac distribution in eV.
    fineness : sequence of int
        Integer refinement factors of the grid.

    Returns
    -------
    tuple of float
        States per eV and cell, as :func:`electronic.dos_at_fermi_level` defines them, and the Fermi level
        in eV.

    Raises
    ------
    ValueError
        When no band is near the Fermi level: there is a wide gap and nothing to interpolate.
    """
    coarse = grid.reshape(len(grid), -1, grid.shape[-1])
    level = fermi_level(coarse, electrons, width)
    lowest, highest = coarse.min(axis=(0, 1)), coarse.max(axis=(0, 1))
    reach = WIDTHS_AROUND_FERMI_LEVEL * width
    full, near = highest < level - reach, (highest >= level - reach) & (lowest <= level + reach)
    if not near.any():
        raise ValueError("no band near the Fermi level: the density of states there is zero")
    bands = refined(grid[..., near], fineness)
    # A band that is full for both spins holds two electrons.
    level = fermi_level(bands, electrons - 2.0 * full.sum(), width)
    weights = np.full(bands.shape[1], 1.0 / bands.shape[1])
    return dos_at_fermi_level(bands, weights, level, width), level
