"""Band gaps and the density of states at the Fermi level from Kohn-Sham eigenvalues on a k-point grid."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def band_gaps(eigenvalues: FloatArray, fermi_level: float) -> tuple[float, float]:
    """Return the indirect and direct band gap.

    A spin channel whose number of bands below the Fermi level differs between k-points has a band that
    crosses it: the crystal is then a metal and both gaps are zero. Otherwise, the indirect gap is the lowest
    level above the Fermi level minus the highest one below it over all k-points and both spins, and the
    direct gap is the smallest distance at one k-point within one spin channel.

    Parameters
    ----------
    eigenvalues : FloatArray, shape (n_spins, n_kpoints, n_bands)
        Eigenvalues in eV, ascending along the bands.
    fermi_level : float
        Fermi level in eV.

    Returns
    -------
    tuple of float
        Indirect and direct gap in eV, on the given k-points.

    Raises
    ------
    ValueError
        When a spin channel has no empty band, so that the gap is unknown.
    """
    occupied = (eigenvalues < fermi_level).sum(axis=2)
    if np.any(np.ptp(occupied, axis=1) > 0):
        return 0.0, 0.0
    tops, bottoms, direct = [], [], []
    for levels, count in zip(eigenvalues, occupied[:, 0], strict=True):
        if count == levels.shape[1]:
            raise ValueError("no empty band above the Fermi level: calculate more bands")
        bottoms.append(levels[:, count].min())
        if count > 0:
            tops.append(levels[:, count - 1].max())
            direct.append((levels[:, count] - levels[:, count - 1]).min())
    return float(min(bottoms) - max(tops)), float(min(direct))


def dos_at_fermi_level(
    eigenvalues: FloatArray, weights: FloatArray, fermi_level: float, smearing: float
) -> float:
    r"""Return the density of states at the Fermi level, summed over spins.

    .. math:: D(E_F) = g \sum_{s,k,n} w_k \frac{1}{4 k_B T} \operatorname{sech}^2\frac{E_{skn} - E_F}{2 k_B T}

    that is, every level is broadened by the negative derivative of the Fermi-Dirac distribution of the
    calculation, with g = 2 for one spin channel and g = 1 for two.

    Parameters
    ----------
    eigenvalues : FloatArray, shape (n_spins, n_kpoints, n_bands)
        Eigenvalues in eV.
    weights : FloatArray, shape (n_kpoints,)
        Weights of the k-points, adding up to 1.
    fermi_level : float
        Fermi level in eV.
    smearing : float
        Width k_B T of the distribution in eV.

    Returns
    -------
    float
        States per eV and cell.
    """
    spins = 2.0 if len(eigenvalues) == 1 else 1.0
    # Beyond 50 widths a level adds less than 1e-21; the clip keeps cosh from overflowing.
    distance = np.clip((eigenvalues - fermi_level) / (2.0 * smearing), -50.0, 50.0)
    broadened = 1.0 / (4.0 * smearing * np.cosh(distance) ** 2)
    return float(spins * np.einsum("k,skn->", weights, broadened))
