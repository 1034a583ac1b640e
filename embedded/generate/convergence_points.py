"""The points of the convergence scan: crystals, settings, and the energy differences derived from them."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml
from settings import SETTINGS

CONVERGENCE = Path(__file__).with_name("convergence.yaml")
SCAN: dict[str, Any] = yaml.safe_load(CONVERGENCE.read_text())


class Point(NamedTuple):
    """Plane-wave cutoff (eV) and density of k-points (points per inverse Angstrom)."""

    cutoff_ev: float
    kpoint_density: float

    @property
    def label(self) -> str:
        """Name of the point, valid in a file name."""
        return f"{self.cutoff_ev:g}eV_{self.kpoint_density:g}"


PRODUCTION = Point(SETTINGS["cutoff_ev"], SETTINGS["kpoint_density_final"])
CUTOFF_SCAN = tuple(Point(float(cutoff), PRODUCTION.kpoint_density) for cutoff in SCAN["cutoffs_ev"])
DENSITY_SCAN = tuple(Point(PRODUCTION.cutoff_ev, float(density)) for density in SCAN["kpoint_densities"])
#: Label to point; the production point occurs once.
POINTS = {point.label: point for point in (*CUTOFF_SCAN, *DENSITY_SCAN)}
