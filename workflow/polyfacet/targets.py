"""The seven properties that are predicted, and how each one follows from an Alexandria entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from polyfacet.objectives import Objective


@dataclass(frozen=True)
class TargetFacts:
    """What tables, plots and checks need to know of a property."""

    label: str
    unit: str
    meaning: str
    # A lattice shows its volume: cells with a structure facet can read this target off their input.
    contained_in_structure: bool = False


class Target(Enum):
    """A property of a material; the member's value is its name in configs, files and columns."""

    GAP = "gap"
    E_FORM = "e_form"
    E_HULL = "e_hull"
    E_TOTAL = "e_total"
    MAG_VOL = "mag_vol"
    VOL_ATOM = "vol_atom"
    DOS_EF = "dos_ef"

    @property
    def facts(self) -> TargetFacts:
        """Label, unit and meaning."""
        return _FACTS[self]

    @property
    def objective(self) -> Objective:
        """The property as something to learn: numbers in the column of its name."""
        return Objective(
            self.value,
            self.facts.label,
            self.facts.unit,
            contained_in_structure=self.facts.contained_in_structure,
        )


_FACTS = {
    Target.GAP: TargetFacts("Band gap", "eV", "indirect band gap (band_gap_ind)"),
    Target.E_FORM: TargetFacts("Formation energy", "eV/atom", "formation energy from the elements (e_form)"),
    Target.E_HULL: TargetFacts("Energy above hull", "eV/atom", "distance to the convex hull (e_above_hull)"),
    Target.E_TOTAL: TargetFacts("Total energy", "eV/atom", "total energy per site (energy_total / nsites)"),
    Target.MAG_VOL: TargetFacts("Magnetization", "uB/A^3", "total moment per volume (total_mag / volume)"),
    Target.VOL_ATOM: TargetFacts("Volume", "A^3/atom", "cell volume per site", contained_in_structure=True),
    Target.DOS_EF: TargetFacts(
        "DOS at Fermi level", "states/eV/atom", "density of states at the Fermi level (dos_ef / nsites)"
    ),
}

Magnetization = Literal["absolute", "signed"]


def derive_targets(
    data: Mapping[str, Any], n_sites: int, volume: float, magnetization: Magnetization = "absolute"
) -> dict[str, float]:
    """Derive the seven targets of one material.

    Parameters
    ----------
    data
        The ``data`` block of an Alexandria entry (values per cell: eV, states/eV, Bohr magnetons).
    n_sites
        Number of sites of the cell.
    volume
        Volume of the cell, A^3.
    magnetization
        ``absolute`` (default: the sign of a collinear cell is arbitrary) or ``signed``.

    Returns
    -------
    dict
        Target name to value, in the units of ``Target.facts``.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a value is missing or is no number.
    """
    moment = float(data["total_mag"])
    return {
        Target.GAP.value: float(data["band_gap_ind"]),
        Target.E_FORM.value: float(data["e_form"]),
        Target.E_HULL.value: float(data["e_above_hull"]),
        Target.E_TOTAL.value: float(data["energy_total"]) / n_sites,
        Target.MAG_VOL.value: (abs(moment) if magnetization == "absolute" else moment) / volume,
        Target.VOL_ATOM.value: volume / n_sites,
        Target.DOS_EF.value: float(data["dos_ef"]) / n_sites,
    }
