"""Reject a CIF in which symmetry puts copies of a site nearly, but not exactly, on each other."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from pymatgen.core import Structure

from polyfacet.materials.spacing import SpacingError, close_pairs
from polyfacet.sources.structures.cif_form import known_texts
from polyfacet.sources.values import InvalidEntryError, shown

COORDINATE = re.compile(r"_atom_site_fract_[xyz]")
# Thirds and sixths with fewer digits than pymatgen recognizes; a number may have its uncertainty in brackets.
ROUNDED = re.compile(r"-?0?\.(3{2,3}|6{1,2}[67]|16?7|83{1,2})(\(\d+\))?")
# Rounding of thirds and sixths to two digits moves copies of an atom apart by less, in fractions of the cell.
ROUNDING = 0.02
# Alternative positions of an atom that are this close cannot be told from one position.
SAME_POSITION_A = 0.1


def check_copies(stated: Mapping[str, Any], structure: Structure) -> None:
    """Reject a site that symmetry maps nearly, but not exactly, onto itself: it would count several times.

    Raises
    ------
    InvalidEntryError
        If the copies are as close as if they were one position with rounded coordinates.
    """
    try:
        first, second, distances = close_pairs(structure.lattice.matrix, structure.frac_coords)
    except SpacingError as error:
        raise InvalidEntryError(str(error)) from error
    rounded = rounded_coordinate(stated)
    for i, j, distance in zip(first.tolist(), second.tolist(), distances.tolist(), strict=True):
        site, other = structure[i], structure[j]
        if (site.label, site.species) != (other.label, other.species):
            continue
        apart = site.frac_coords - other.frac_coords
        is_rounding = rounded is not None and abs(apart - np.round(apart)).max() < ROUNDING
        if distance < SAME_POSITION_A or is_rounding:
            raise InvalidEntryError(
                f"symmetry puts copies of site {shown(site.label)} {distance:.2g} A apart: "
                + ask_for_digits(rounded)
            )


def rounded_coordinate(stated: Mapping[str, Any]) -> str | None:
    """Return a coordinate that may be a third or a sixth with too few digits; None if there is none."""
    return next((text for text in known_texts(stated, COORDINATE) if ROUNDED.fullmatch(text)), None)


def ask_for_digits(rounded: str | None) -> str:
    """Return what to do about copies of a site, given a rounded coordinate or None."""
    if rounded is None:
        return "state its coordinates with more digits, or exactly on the symmetry element"
    return (
        f"with coordinates rounded like {rounded}, symmetry does not map atoms onto themselves; state at "
        "least four digits, such as 0.3333"
    )
