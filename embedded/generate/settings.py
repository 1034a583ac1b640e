"""What decides a calculation besides the crystal itself, and the fingerprint of both."""

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


def digest(spec: Mapping[str, Any]) -> str:
    """Fingerprint of a crystal's specification and the settings: equal digests mean the same calculation.

    Parameters
    ----------
    spec : mapping
        A crystal of ``crystals.yaml``; its group does not count.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    text = json.dumps([SETTINGS, {key: spec[key] for key in sorted(spec) if key != "group"}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
