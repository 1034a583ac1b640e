"""The settings that determine a calculation in addition to the crystal, and the fingerprints of both."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SETTINGS: dict[str, Any] = {
    "code": "GPAW",
    "functional": "PBE",
    "mode": "plane waves",
    "cutoff_ev": 480.0,
    "fermi_dirac_width_ev": 0.05,
    "empty_bands": "4 and one more for each atom",
    "kpoint_density_pulay": 1.25,
    "kpoint_density_relaxation": 2.0,
    "kpoint_density_final": 3.0,
    "kpoint_grid": "gamma-centred, fixed by the starting cell",
    "pulay_stress": "from the energies at the cutoff times 0.96 and 1.04",
    "force_tolerance_ev_per_angstrom": 0.05,
    "relaxation_steps": 12,
    "magnetic_moments": {"Cr": 3.0, "Mn": 4.0, "Fe": 3.0, "Co": 2.0, "Ni": 1.0},
    "magnetic_order": "ferromagnetic start",
}

#: Method for the density of states at the Fermi level of a finished calculation. It has its own fingerprint,
#: as a different estimate leaves the rest of a result unchanged.
DOS_SETTINGS: dict[str, Any] = {
    "levels": "non-self-consistent, at the density of the final run",
    "kpoint_density": 4.0,
    "eigenstates_ev2": 1e-5,
    "interpolation": "cubic splines of the bands, ordered by energy",
    "kpoint_density_interpolated": 20.0,
    "broadening": "derivative of the Fermi-Dirac distribution of the calculation",
    "gap_without_interpolation_ev": 1.0,
}


def _fingerprint(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def dos_digest() -> str:
    """Return the fingerprint of the method for the density of states at the Fermi level: 16 hex digits."""
    return _fingerprint(DOS_SETTINGS)


def digest(spec: Mapping[str, Any]) -> str:
    """Return the fingerprint of a crystal's specification and the settings; equal ones mean one calculation.

    Parameters
    ----------
    spec : mapping
        A crystal of ``crystals.yaml``; its group is ignored.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    return _fingerprint([SETTINGS, {key: spec[key] for key in sorted(spec) if key != "group"}])
