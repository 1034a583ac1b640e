"""Check that the energies of an entry agree: those calculated, those corrected, and the corrections.

Nothing else reveals the scale of an energy, so corrections are compared with their largest possible values.
The largest correction in 11,705 entries of Alexandria is 1.9 eV/atom.
"""

import math
from collections.abc import Mapping
from typing import Any

from polyfacet.sources.values import InvalidEntryError, given, number, shown

# Tolerance for the energies of one cell: above any rounding, and calculations are not converged better.
ENERGY_WITHIN_EV_PER_ATOM = 1e-3
# More than twice the largest known correction; a wrong number of atoms, or of units, is off by more.
MAX_CORRECTION_EV_PER_ATOM = 5.0
# Occupancies are rounded.
ATOMS_WITHIN = 1e-2
# Factors of pymatgen's adjustments, by kind: constant, per atom, per degree.
FACTORS = (("value",), ("adj_per_atom", "n_atoms"), ("adj_per_deg", "temp", "n_atoms"))


def check_energies(
    entry: Mapping[str, Any], data: Mapping[str, Any], n_atoms: float, n_stated: float
) -> None:
    """Check the energies of a cell against each other; ``energy`` may include the correction or not.

    The same holds for ``energy_per_atom``, and for the values with these names in the data block.

    Parameters
    ----------
    entry, data
        The raw entry and its data block; values that are missing or None are ignored.
    n_atoms, n_stated
        Atoms per cell, with and without those added to fill sites.

    Raises
    ------
    InvalidEntryError
        At the first contradiction.
    """
    if data.get("energy_total") is None:
        return
    total = number(data["energy_total"], "energy_total")
    known = {"energy_total": total}
    correction = _correction(entry, n_atoms)
    if given(data, "energy_corrected") is not None:
        corrected = number(data["energy_corrected"], "energy_corrected")
        _check_corrected(corrected, total, correction, n_atoms)
        known["energy_corrected"] = corrected
    elif correction:
        known["energy_total with the correction"] = total + correction
    if entry.get("energy") is not None:
        _check_known(number(entry["energy"], "energy"), "energy", known, n_atoms)
    if given(data, "energy") is not None:
        _check_known(number(data["energy"], "energy"), "energy of the data block", known, n_atoms)
    for place in (entry, data):
        if given(place, "energy_per_atom") is not None:
            energy = number(place["energy_per_atom"], "energy_per_atom")
            _check_known_per_atom(energy, known, n_atoms, n_stated)


def _check_known(energy: float, what: str, known: Mapping[str, float], n_atoms: float) -> None:
    if not any(abs(energy - value) <= ENERGY_WITHIN_EV_PER_ATOM * n_atoms for value in known.values()):
        others = " and ".join(f"{name} is {value:.10g}" for name, value in known.items())
        raise InvalidEntryError(f"{what} is {energy}, but {others} (eV per cell)")


def _check_known_per_atom(energy: float, known: Mapping[str, float], n_atoms: float, n_stated: float) -> None:
    per_atom = {name: value / n_atoms for name, value in known.items()}
    possible = [value / n for value in known.values() for n in (n_atoms, n_stated)]
    if not any(abs(energy - value) <= ENERGY_WITHIN_EV_PER_ATOM for value in possible):
        others = " and ".join(f"{name} is {value:.6g}" for name, value in per_atom.items())
        raise InvalidEntryError(f"energy_per_atom is {energy}, but {others} (eV per atom)")


def _correction(entry: Mapping[str, Any], n_atoms: float) -> float | None:
    """Return the correction of a cell, eV, or the sum of its adjustments; None if neither is stated."""
    adjusted = _sum_of_adjustments(given(entry, "energy_adjustments"), n_atoms)
    if given(entry, "correction") is None:
        correction, what = adjusted, "the sum of energy_adjustments"
    else:
        correction, what = number(entry["correction"], "correction"), "correction"
    if correction is None:
        return None
    if adjusted is not None and not abs(adjusted - correction) <= ENERGY_WITHIN_EV_PER_ATOM * n_atoms:
        raise InvalidEntryError(
            f"correction is {correction}, but energy_adjustments add up to {adjusted:g} (eV per cell)"
        )
    if not abs(correction) <= MAX_CORRECTION_EV_PER_ATOM * n_atoms:
        raise InvalidEntryError(
            f"{what} is {correction:g} eV per cell, more than {MAX_CORRECTION_EV_PER_ATOM:g} eV per atom: no "
            "correction is that large"
        )
    return correction


def _sum_of_adjustments(adjustments: Any, n_atoms: float) -> float | None:
    """Add up the adjustments of a cell, eV; None if there are none, or some are of an unknown kind."""
    if not adjustments:
        return None
    if not isinstance(adjustments, list):
        raise InvalidEntryError(f"energy_adjustments is {shown(adjustments)}, not a list")
    values = [_adjustment(adjustment, n_atoms) for adjustment in adjustments]
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None


def _adjustment(adjustment: Any, n_atoms: float) -> float | None:
    if not isinstance(adjustment, dict):
        return None
    if given(adjustment, "n_atoms") is not None:
        # The atoms of one element, or all.
        n_adjusted = number(adjustment["n_atoms"], "energy_adjustments: n_atoms")
        if not 0 <= n_adjusted <= n_atoms + ATOMS_WITHIN:
            raise InvalidEntryError(
                f"energy_adjustments: n_atoms is {n_adjusted:g}, but the structure has {n_atoms:g} atoms"
            )
    for keys in FACTORS:
        if all(given(adjustment, key) is not None for key in keys):
            return math.prod(number(adjustment[key], f"energy_adjustments: {key}") for key in keys)
    return None


def _check_corrected(corrected: float, total: float, correction: float | None, n_atoms: float) -> None:
    if correction is None:
        if not abs(corrected - total) <= MAX_CORRECTION_EV_PER_ATOM * n_atoms:
            raise InvalidEntryError(
                f"energy_corrected is {corrected}, but energy_total is {total}: no correction is more than "
                f"{MAX_CORRECTION_EV_PER_ATOM:g} eV per atom"
            )
    elif not abs(corrected - total - correction) <= ENERGY_WITHIN_EV_PER_ATOM * n_atoms:
        raise InvalidEntryError(
            f"energy_corrected is {corrected}, but energy_total and correction add up to "
            f"{total + correction:g}"
        )
