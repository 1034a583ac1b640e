"""The seven properties that are predicted, and how each one follows from an Alexandria entry."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from polyfacet.config.sample import Magnetization
from polyfacet.materials.objectives import Objective


@dataclass(frozen=True)
class TargetFacts:
    """What tables, plots and checks need to know of a property."""

    label: str
    unit: str
    meaning: str
    # A lattice shows its volume: cells with a structure facet can read this target off their input.
    contained_in_structure: bool = False
    # What lies outside is no property of a material but an error of its source.
    lowest: float = -math.inf
    highest: float = math.inf


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


# Energies between solids and of gaps: ten times what the strongest bonds and the widest gaps have.
MAX_ENERGY_EV = 100.0
# The heaviest atom with all its electrons has -1.5e6 eV.
MAX_TOTAL_EV = 2e6
# Magnetic metals have 0.1 to 0.3 uB/A^3.
MAX_MOMENT_UB_PER_A3 = 10.0
# Half-filled f shells, unbroadened.
MAX_DOS_PER_EV_ATOM = 1e4
# Smearing after Methfessel and Paxton leaves a density below zero at the Fermi level of insulators: in 18 %
# of the one-dimensional entries of Alexandria, down to -0.52 states/eV/atom.
MIN_DOS_PER_EV_ATOM = -1.0
# What lies no further below zero, in the unit of its target, was rounded or broadened and is read as 0.
ZERO_WITHIN = 1e-4

_FACTS = {
    Target.GAP: TargetFacts(
        "Band gap", "eV", "indirect band gap (band_gap_ind)", lowest=0.0, highest=MAX_ENERGY_EV
    ),
    Target.E_FORM: TargetFacts(
        "Formation energy",
        "eV/atom",
        "formation energy from the elements (e_form)",
        lowest=-MAX_ENERGY_EV,
        highest=MAX_ENERGY_EV,
    ),
    Target.E_HULL: TargetFacts(
        "Energy above hull",
        "eV/atom",
        "distance to the convex hull (e_above_hull)",
        lowest=0.0,
        highest=MAX_ENERGY_EV,
    ),
    Target.E_TOTAL: TargetFacts(
        "Total energy",
        "eV/atom",
        "total energy per atom (energy_total / atoms of the cell)",
        lowest=-MAX_TOTAL_EV,
        highest=MAX_TOTAL_EV,
    ),
    Target.MAG_VOL: TargetFacts(
        "Magnetization",
        "uB/A^3",
        "total moment per volume (total_mag / volume)",
        lowest=-MAX_MOMENT_UB_PER_A3,
        highest=MAX_MOMENT_UB_PER_A3,
    ),
    Target.VOL_ATOM: TargetFacts("Volume", "A^3/atom", "cell volume per atom", contained_in_structure=True),
    Target.DOS_EF: TargetFacts(
        "DOS at Fermi level",
        "states/eV/atom",
        "density of states at the Fermi level (dos_ef / atoms of the cell)",
        lowest=MIN_DOS_PER_EV_ATOM,
        highest=MAX_DOS_PER_EV_ATOM,
    ),
}


def derive_targets(
    data: Mapping[str, Any], n_atoms: float, volume: float, magnetization: Magnetization = "absolute"
) -> dict[str, float]:
    """Derive the seven targets of one material.

    Parameters
    ----------
    data
        The ``data`` block of an Alexandria entry (values per cell: eV, states/eV, Bohr magnetons).
    n_atoms
        Atoms of the cell; a site that is occupied by half is half an atom.
    volume
        Volume of the cell, A^3.
    magnetization
        ``absolute`` (default: the sign of a collinear cell is arbitrary) or ``signed``.

    Returns
    -------
    dict
        Target name to value, in the units of ``Target.facts``.  A gap, a hull distance or a metal's density
        of states that lies at most ``ZERO_WITHIN`` below zero is 0.

    Raises
    ------
    KeyError, TypeError
        If a value is missing or is no number.
    ValueError
        If no material has such a value: it is outside of the limits of ``Target.facts``, or a metal has a
        density of states below zero.
    """
    moment = float(data["total_mag"])
    gap = float(data["band_gap_ind"])
    values = {
        Target.GAP: gap,
        Target.E_FORM: float(data["e_form"]),
        Target.E_HULL: float(data["e_above_hull"]),
        Target.E_TOTAL: float(data["energy_total"]) / n_atoms,
        Target.MAG_VOL: (abs(moment) if magnetization == "absolute" else moment) / volume,
        Target.VOL_ATOM: volume / n_atoms,
        Target.DOS_EF: float(data["dos_ef"]) / n_atoms,
    }
    is_metal = gap <= 0
    return {target.value: _possible(target, value, is_metal) for target, value in values.items()}


def _possible(target: Target, value: float, is_metal: bool) -> float:
    facts = target.facts
    metallic = target is Target.DOS_EF and is_metal
    lowest = 0.0 if metallic else facts.lowest
    if lowest == 0 and -ZERO_WITHIN <= value < 0:
        return 0.0
    if lowest <= value <= facts.highest:
        return value
    limit = f"below {lowest:g}" if value < lowest else f"above {facts.highest:g}"
    raise ValueError(
        f"{target.value} is {value:.6g} {facts.unit}, {limit}: "
        + ("no metal has that" if metallic and value < 0 else "no material has that")
    )
