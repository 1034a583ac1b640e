"""Objectives of crystals: each is declared once, with its derivation from an entry."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from polyfacet.config.objectives import Aspect
from polyfacet.config.sample import Magnetization
from polyfacet.config.taken_names import TAKEN_BY_CRYSTALS
from polyfacet.materials.objectives import Objective, aspects
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.names import check_name
from polyfacet.runtime.parquet import column
from polyfacet.runtime.plugins import Declaration, Registry


class ObjectiveError(Exception):
    """An objective whose function fails; the message names it."""


@dataclass(frozen=True)
class Calculation:
    """Calculated data from which objectives are derived.

    Attributes
    ----------
    data
        The ``data`` block of an Alexandria entry (values per cell: eV, states/eV, Bohr magnetons).
    n_atoms
        Atoms per cell; a half-occupied site counts as half an atom.
    volume
        Volume of the cell, A^3.
    magnetization
        ``absolute`` (the sign of a collinear cell is arbitrary) or ``signed``.
    """

    data: Mapping[str, Any]
    n_atoms: float
    volume: float
    magnetization: Magnetization = "absolute"

    @property
    def is_metal(self) -> bool:
        """Whether the band gap is zero."""
        return float(self.data["band_gap_ind"]) <= 0


@dataclass(frozen=True)
class CrystalObjective(Declaration):
    """A property of a crystal.

    Attributes
    ----------
    name
        Name in configurations, files and columns.
    label
        Name in tables and figures.
    unit
        Unit of its values.
    meaning
        Definition in one line.
    derive
        Function from the calculation to the value in that unit.
    follows_from
        See `polyfacet.materials.objectives.Objective`.
    lowest, highest
        Limits of possible values; anything outside is an error of its source.
    lowest_of_metals
        Lower limit for metals, if it differs.
    zero
        If zero has a meaning of its own: what crystals with that value are called, and all others.
    """

    name: str
    label: str
    unit: str
    meaning: str
    derive: Callable[[Calculation], float]
    follows_from: frozenset[Aspect] = frozenset()
    lowest: float = -math.inf
    highest: float = math.inf
    lowest_of_metals: float | None = None
    zero: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        """Reject a name that columns and results cannot have, and what else cannot work."""
        check_name("an objective", self.name, taken=TAKEN_BY_CRYSTALS)
        if not callable(self.derive):
            raise ValueError(f"derive of the objective {self.name!r} must be a function, not {self.derive!r}")
        named = aspects(f"follows_from of the objective {self.name!r}", self.follows_from)
        object.__setattr__(self, "follows_from", named)
        _check_zero(self.name, self.zero)

    @property
    def objective(self) -> Objective:
        """The property as an objective: numbers in the column of its name."""
        return Objective(
            self.name, self.label, self.unit, follows_from=self.follows_from, zero=tuple(self.zero or ())
        )

    @property
    def column(self) -> pa.Field:
        """Its column in tables; only predefined objectives are known for every material."""
        return column(self.name, pa.float64(), self.meaning, self.unit, nullable=self not in PREDEFINED)


def _check_zero(name: str, zero: Any) -> None:
    if zero is None:
        return
    names = zero if isinstance(zero, tuple) else ()
    if len({each for each in names if each and isinstance(each, str)}) != 2 or len(names) != 2:
        raise ValueError(
            f"zero of the objective {name!r} is {zero!r}, not two different names. Write for example "
            '("metal", "insulator")'
        )


# Energy differences between solids, and gaps: ten times the strongest bonds and the widest gaps.
MAX_ENERGY_EV = 100.0
# The all-electron energy of the heaviest atom is -1.5e6 eV.
MAX_TOTAL_EV = 2e6
# Magnetic metals have 0.1 to 0.3 uB/A^3.
MAX_MOMENT_UB_PER_A3 = 10.0
# Half-filled f shells, unbroadened.
MAX_DOS_PER_EV_ATOM = 1e4
# Methfessel-Paxton smearing leaves a negative density at the Fermi level of insulators: in 18 % of the
# one-dimensional entries of Alexandria, down to -0.52 states/eV/atom.
MIN_DOS_PER_EV_ATOM = -1.0
# Values this close below zero, in the unit of their objective, come from rounding or broadening: they are 0.
ZERO_WITHIN = 1e-4


def _magnetization(of: Calculation) -> float:
    moment = float(of.data["total_mag"])
    return (abs(moment) if of.magnetization == "absolute" else moment) / of.volume


GAP = CrystalObjective(
    "gap",
    "Band gap",
    "eV",
    "indirect band gap (band_gap_ind)",
    lambda of: float(of.data["band_gap_ind"]),
    lowest=0.0,
    highest=MAX_ENERGY_EV,
    zero=("metal", "insulator"),
)
E_FORM = CrystalObjective(
    "e_form",
    "Formation energy",
    "eV/atom",
    "formation energy from the elements (e_form)",
    lambda of: float(of.data["e_form"]),
    lowest=-MAX_ENERGY_EV,
    highest=MAX_ENERGY_EV,
)
E_HULL = CrystalObjective(
    "e_hull",
    "Energy above hull",
    "eV/atom",
    "distance to the convex hull (e_above_hull)",
    lambda of: float(of.data["e_above_hull"]),
    lowest=0.0,
    highest=MAX_ENERGY_EV,
)
E_TOTAL = CrystalObjective(
    "e_total",
    "Total energy",
    "eV/atom",
    "total energy per atom (energy_total / atoms of the cell)",
    lambda of: float(of.data["energy_total"]) / of.n_atoms,
    lowest=-MAX_TOTAL_EV,
    highest=MAX_TOTAL_EV,
)
MAG_VOL = CrystalObjective(
    "mag_vol",
    "Magnetization",
    "uB/A^3",
    "total moment per volume (total_mag / volume)",
    _magnetization,
    lowest=-MAX_MOMENT_UB_PER_A3,
    highest=MAX_MOMENT_UB_PER_A3,
)
VOL_ATOM = CrystalObjective(
    "vol_atom",
    "Volume",
    "A^3/atom",
    "cell volume per atom",
    lambda of: of.volume / of.n_atoms,
    follows_from=frozenset({"lattice"}),
)
DOS_EF = CrystalObjective(
    "dos_ef",
    "DOS at Fermi level",
    "states/eV/atom",
    "density of states at the Fermi level (dos_ef / atoms of the cell)",
    lambda of: float(of.data["dos_ef"]) / of.n_atoms,
    lowest=MIN_DOS_PER_EV_ATOM,
    highest=MAX_DOS_PER_EV_ATOM,
    lowest_of_metals=0.0,
)
# The objectives of Costa (2024); an entry that lacks one of them is rejected.
PREDEFINED = (GAP, E_FORM, E_HULL, E_TOTAL, MAG_VOL, VOL_ATOM, DOS_EF)
CRYSTAL_OBJECTIVES = Registry("objective", CrystalObjective, PREDEFINED)


def derive_predefined(calculation: Calculation) -> dict[str, float]:
    """Derive the predefined objectives of one material.

    Parameters
    ----------
    calculation
        Data from which they are derived.

    Returns
    -------
    dict
        Name to value, in the unit of the objective.  Non-negative objectives at most ``ZERO_WITHIN`` below
        zero are 0.

    Raises
    ------
    KeyError, TypeError
        If a value is missing or not a number.
    ValueError
        If a value is outside the limits of its objective, so that no material can have it.
    """
    return {each.name: _possible(each, each.derive(calculation), calculation) for each in PREDEFINED}


def derive(objective: CrystalObjective, calculation: Calculation) -> float | None:
    """Derive any objective of one material; None if its entry lacks the required data.

    Raises
    ------
    ValueError
        If the value is outside the limits of the objective, so that no material can have it.
    ObjectiveError
        If the function of the objective fails for a reason other than a missing value.
    """
    try:
        value = float(objective.derive(calculation))
    except (KeyError, TypeError) as error:
        raise_machine_failure(error)
        return None
    except Exception as error:
        raise_machine_failure(error)
        raise ObjectiveError(
            f"the objective {objective.name!r} cannot be derived ({type(error).__name__}: {error})"
        ) from error
    return _possible(objective, value, calculation)


def _possible(objective: CrystalObjective, value: float, calculation: Calculation) -> float:
    lowest, of_metals = objective.lowest, False
    if objective.lowest_of_metals is not None and calculation.is_metal:
        lowest, of_metals = objective.lowest_of_metals, True
    if lowest == 0 and -ZERO_WITHIN <= value < 0:
        return 0.0
    if not math.isfinite(value):
        raise ValueError(f"{objective.name} is {value}, not a finite number")
    if lowest <= value <= objective.highest:
        return value
    limit = f"below {lowest:g}" if value < lowest else f"above {objective.highest:g}"
    raise ValueError(
        f"{objective.name} is {value:.6g} {objective.unit}, {limit}: "
        + ("no metal has that" if of_metals and value < 0 else "no material has that")
    )
