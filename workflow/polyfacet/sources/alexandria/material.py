"""Convert a raw entry of Alexandria to a material, after checking that it is valid."""

import json
from collections.abc import Mapping
from typing import Any

from polyfacet.config.sample import Magnetization
from polyfacet.materials.crystal_objectives import PREDEFINED, Calculation, derive, derive_predefined
from polyfacet.materials.material import Material
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.sources.alexandria.entry_agreement import check_agreement
from polyfacet.sources.alexandria.entry_properties import check_properties
from polyfacet.sources.cell_agreement import Cell
from polyfacet.sources.structure_checks import (
    cell_volume,
    entry_sites,
    lattice_matrix,
    structure_json,
)
from polyfacet.sources.values import (
    InvalidEntryError,
    check_reserved,
    given,
    given_whole,
    mapping,
    number,
)

MAX_TEXT_CHARS = 200
# What the predefined objectives are derived from.
PROPERTIES = ("band_gap_ind", "e_form", "e_above_hull", "energy_total", "total_mag", "dos_ef")


def material_from_entry(
    entry: Any, magnetization: Magnetization = "absolute", *, need_properties: bool = True
) -> Material:
    """Check a raw entry and keep what the workflow needs of it.

    Parameters
    ----------
    entry
        JSON value of a pymatgen ``ComputedStructureEntry`` as Alexandria writes it.
    magnetization
        See `polyfacet.materials.crystal_objectives.Calculation`.
    need_properties
        Whether an entry must state everything that the predefined objectives are derived from.

    Raises
    ------
    InvalidEntryError
        If anything that a later stage relies on is missing or impossible; the message says what.
    """
    data = mapping(mapping(entry, "entry").get("data"), "data")
    reason = invalid_mat_id_reason(data.get("mat_id"))
    if reason:
        raise InvalidEntryError(reason)
    check_reserved(data)
    structure = mapping(entry.get("structure"), "structure")
    matrix = lattice_matrix(structure)
    volume = cell_volume(matrix)
    found = entry_sites(structure)
    cell = Cell.of(matrix, volume, found)
    _stated_text(data, "formula")
    prototype_id = _stated_text(data, "prototype_id")
    check_agreement(entry, data, cell)
    objectives = _objectives(Calculation(data, cell.n_atoms, volume, magnetization), need_properties)
    check_properties(data)
    return Material(
        mat_id=data["mat_id"],
        formula=cell.formula,
        prototype_id=prototype_id,
        space_group=_space_group(data),
        n_sites=len(found.sites),
        volume=volume,
        elements=frozenset(cell.amounts),
        objectives=objectives,
        structure=structure_json(matrix, found.sites),
        data=_text_of(data),
        is_of_database=True,
    )


def _text_of(data: Mapping[str, Any]) -> str:
    """Write a data block as JSON; not with orjson, which has neither large integers nor NaN."""
    try:
        return json.dumps(data, separators=(",", ":"))
    except RecursionError as error:
        raise InvalidEntryError("data is nested too deeply") from error


def _stated_text(data: Mapping[str, Any], key: str) -> str | None:
    """Return a name; reject long texts, line breaks, control characters and lone surrogates."""
    text = given(data, key)
    if text is not None and not isinstance(text, str):
        raise InvalidEntryError(f"{key} is {type(text).__name__}, not str")
    if text and (len(text) > MAX_TEXT_CHARS or not text.isprintable()):
        raise InvalidEntryError(f"{key} is not a short, printable text: {text[:40]!a}")
    return text or None


def _space_group(data: Mapping[str, Any]) -> int | None:
    group = given_whole(data, "spg")
    if group is not None and not 1 <= group <= 230:
        raise InvalidEntryError(f"spg is {group}, not a space group number")
    return group


def _objectives(calculation: Calculation, need_properties: bool) -> Mapping[str, float | None]:
    for key in PROPERTIES:
        if calculation.data.get(key) is not None:
            number(calculation.data[key], key)
        elif need_properties:
            raise InvalidEntryError(f"{key} is missing")
    try:
        if need_properties:
            return derive_predefined(calculation)
        return {each.name: derive(each, calculation) for each in PREDEFINED}
    except ValueError as error:
        raise InvalidEntryError(str(error)) from error
