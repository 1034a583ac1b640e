"""Check a crystal of any format, and keep what the workflow needs of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyfacet.materials.material import Material
from polyfacet.materials.spacing import SpacingError, check_isolation, check_overlaps
from polyfacet.materials.stated_values import number_or_none
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.sources.cell_agreement import Cell, check_lattice
from polyfacet.sources.structure_checks import (
    cell_volume,
    entry_sites,
    lattice_matrix,
    structure_json,
)
from polyfacet.sources.structures.formula_columns import check_formulas
from polyfacet.sources.values import InvalidEntryError, number

# Names under which tables state a space group number, in lower case, and the distance to the hull.
SPACE_GROUPS = (
    "space_group",
    "space_group_number",
    "spacegroup",
    "spacegroup.number",
    "spacegroup_number",
    "symmetry.number",
    "spg",
    "spg_number",
    "sg",
    "sg_number",
)
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
    formula_columns
        Names in the data that state the formula.
    """

    structure: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    space_group: int | None = None
    formula_columns: Sequence[str] = ()


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
    found = entry_sites(crystal.structure)
    sites = found.sites
    cell = Cell.of(matrix, volume, found)
    check_lattice(crystal.structure, cell)
    check_formulas(crystal.data, crystal.formula_columns, cell)
    _check_charge(crystal.structure.get("charge"))
    _check_distances(matrix, sites)
    return Material(
        mat_id=str(mat_id),
        formula=cell.formula,
        prototype_id=None,
        space_group=_space_group(crystal),
        n_sites=len(sites),
        volume=volume,
        elements=frozenset(cell.amounts),
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
    data = {name.lower().replace(" ", "_"): value for name, value in crystal.data.items()}
    stated = [_whole(number_or_none(data, name)) for name in SPACE_GROUPS]
    return next((found for found in [*stated, crystal.space_group] if found and 1 <= found <= 230), None)


def _hull_distance(data: Mapping[str, Any]) -> float | None:
    found = (number_or_none(data, name) for name in HULL_DISTANCES)
    return next((each for each in found if each is not None), None)


def _whole(value: float | None) -> int | None:
    return int(value) if value is not None and value.is_integer() else None


def _as_json(data: Mapping[str, Any]) -> str:
    try:
        return json.dumps(data, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEntryError(f"what the source states cannot be written as JSON: {error}") from error
