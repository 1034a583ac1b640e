"""Check a crystal of any format, and keep what the workflow needs of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyfacet.materials.material import Material
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.materials.spacing import SpacingError, check_isolation, check_overlaps
from polyfacet.materials.stated_values import number_or_none
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.sources.structure_checks import (
    atoms_by_element,
    cell_volume,
    entry_sites,
    lattice_matrix,
    structure_json,
)
from polyfacet.sources.values import InvalidEntryError, as_float, number

# Names under which tables state a space group number and the distance to the hull.
SPACE_GROUPS = ("space_group", "space_group_number", "spacegroup.number", "spacegroup_number", "spg", "sg")
HULL_DISTANCES = ("e_hull", "e_above_hull", "energy_above_hull", "ehull")
# A cell is charged if its charge is not rounding noise.
CHARGED = 1e-3


@dataclass(frozen=True)
class Crystal:
    """A crystal as its source states it, not checked yet.

    Parameters
    ----------
    structure
        Lattice and sites as in the JSON of a pymatgen Structure; other keys are ignored, but for ``charge``.
    data
        What the source states besides: names to plain values.
    space_group
        Number of the space group, if the structure's own text states it.
    """

    structure: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    space_group: int | None = None


def checked_crystal(mat_id: object, crystal: Crystal) -> Material:
    """Check a crystal.

    Raises
    ------
    InvalidEntryError
        If anything that a later stage relies on is missing or impossible; the message says what.
    """
    reason = invalid_mat_id_reason(mat_id)
    if reason:
        raise InvalidEntryError(reason)
    matrix = lattice_matrix(crystal.structure)
    volume = cell_volume(matrix)
    sites = entry_sites(crystal.structure).sites
    _check_charge(crystal.structure.get("charge"))
    _check_distances(matrix, sites)
    amounts = atoms_by_element(sites)
    return Material(
        mat_id=str(mat_id),
        formula=reduced_formula(amounts),
        prototype_id=None,
        space_group=_space_group(crystal),
        n_sites=len(sites),
        volume=volume,
        elements=frozenset(amounts),
        objectives={},
        structure=structure_json(matrix, sites),
        data=_as_json(crystal.data),
        hull_distance=_hull_distance(crystal.data),
    )


def _check_charge(charge: Any) -> None:
    if charge is None:
        return
    if abs(number(charge, "charge")) > CHARGED:
        raise InvalidEntryError(f"the cell has a net charge of {charge:g}; facets are of neutral cells")


def _check_distances(matrix: Sequence[Sequence[float]], sites: Sequence[Mapping[str, Any]]) -> None:
    occupancies = [sum(occupant["occu"] for occupant in site["species"]) for site in sites]
    lattice, positions = np.array(matrix), np.array([site["abc"] for site in sites])
    try:
        check_isolation(lattice, positions)
        check_overlaps(lattice, positions, np.array(occupancies))
    except SpacingError as error:
        raise InvalidEntryError(str(error)) from error


def _space_group(crystal: Crystal) -> int | None:
    """Return the first stated number that is one of a space group; texts such as `Fm-3m` are not."""
    stated = [_whole(crystal.data[name]) for name in SPACE_GROUPS if name in crystal.data]
    return next((found for found in [*stated, crystal.space_group] if found and 1 <= found <= 230), None)


def _hull_distance(data: Mapping[str, Any]) -> float | None:
    found = (number_or_none(data, name) for name in HULL_DISTANCES)
    return next((each for each in found if each is not None), None)


def _whole(value: Any) -> int | None:
    found = as_float(value)
    return int(found) if found is not None and found.is_integer() else None


def _as_json(data: Mapping[str, Any]) -> str:
    try:
        return json.dumps(data, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEntryError(f"what the source states cannot be written as JSON: {error}") from error
