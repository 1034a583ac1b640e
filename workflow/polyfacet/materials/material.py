"""A material: what the workflow keeps of a raw entry, after checking that it is sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import pyarrow as pa

from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.materials.targets import Magnetization, Target, derive_targets
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.runtime.parquet import column
from polyfacet.sources.alexandria.entry_agreement import Cell, check_agreement
from polyfacet.sources.alexandria.entry_structure import (
    cell_volume,
    entry_sites,
    lattice_matrix,
    structure_json,
)
from polyfacet.sources.alexandria.entry_values import InvalidEntryError, mapping, number, shown

MAX_TEXT_CHARS = 200

TARGET_COLUMNS = [
    column(target.value, pa.float64(), target.facts.meaning, target.facts.unit) for target in Target
]
IDENTITY_COLUMNS = [
    column("mat_id", pa.string(), "identifier of the material"),
    column("formula", pa.string(), "reduced formula of the structure, as pymatgen spells it"),
    column("prototype_id", pa.string(), "structure prototype as the source names it", nullable=True),
    column("space_group", pa.int16(), "space group number as the source states it", nullable=True),
    column("n_sites", pa.int32(), "sites in the cell"),
    column("volume", pa.float64(), "volume of the cell", "A^3"),
]
SAMPLE = pa.schema(
    [
        *IDENTITY_COLUMNS,
        *TARGET_COLUMNS,
        column("structure", pa.string(), "lattice (A) and sites (fractional), JSON of a pymatgen Structure"),
        column("source_file", pa.string(), "file that the entry came from"),
        column("source_position", pa.int64(), "position of the entry in that file, from 0"),
    ]
)


@dataclass(frozen=True, slots=True)
class Material:
    """A checked entry."""

    mat_id: str
    formula: str
    prototype_id: str | None
    space_group: int | None
    n_sites: int
    volume: float
    elements: frozenset[str]
    targets: Mapping[str, float]
    structure: str


def material_from_entry(entry: Any, magnetization: Magnetization = "absolute") -> Material:
    """Check a raw entry and keep what the workflow needs of it.

    Parameters
    ----------
    entry
        JSON value of a pymatgen ``ComputedStructureEntry`` as Alexandria writes it.
    magnetization
        See `polyfacet.materials.targets.derive_targets`.

    Raises
    ------
    InvalidEntryError
        If anything that a later stage relies on is missing or impossible; the message says what.
    """
    data = mapping(mapping(entry, "entry").get("data"), "data")
    reason = invalid_mat_id_reason(data.get("mat_id"))
    if reason:
        raise InvalidEntryError(reason)
    structure = mapping(entry.get("structure"), "structure")
    matrix = lattice_matrix(structure)
    volume = cell_volume(matrix)
    sites = entry_sites(structure)
    amounts = _amounts(sites)
    cell = Cell(reduced_formula(amounts), amounts, matrix, volume, [site["abc"] for site in sites])
    _check_stated_formula(data)
    prototype_id = _optional(data, "prototype_id", str)
    if data.get("nsites", len(sites)) != len(sites):
        raise InvalidEntryError(
            f"nsites is {shown(data['nsites'])}, but the structure has {len(sites)} sites"
        )
    check_agreement(entry, data, cell)
    return Material(
        mat_id=data["mat_id"],
        formula=cell.formula,
        prototype_id=_short_text(prototype_id, "prototype_id") if prototype_id else None,
        space_group=_space_group(data),
        n_sites=len(sites),
        volume=volume,
        elements=frozenset(amounts),
        targets=_targets(data, cell.n_atoms, volume, magnetization),
        structure=structure_json(matrix, sites),
    )


def sample_table(materials: Sequence[Material], source_file: str, positions: Sequence[int]) -> pa.Table:
    """Give materials that stand at some positions of a file as rows of the ``SAMPLE`` table."""
    columns = {
        **{target.value: [m.targets[target.value] for m in materials] for target in Target},
        "source_file": [source_file] * len(materials),
        "source_position": positions,
    }
    for name in SAMPLE.names:
        if name not in columns:
            columns[name] = list(map(attrgetter(name), materials))
    return pa.table(columns, schema=SAMPLE)


def _amounts(sites: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Count the atoms of a cell by element; a site that is occupied by half is half an atom."""
    amounts: dict[str, float] = {}
    for site in sites:
        for occupant in site["species"]:
            amounts[occupant["element"]] = amounts.get(occupant["element"], 0.0) + occupant["occu"]
    return amounts


def _check_stated_formula(data: Mapping[str, Any]) -> None:
    formula = _optional(data, "formula", str)
    if not formula:
        raise InvalidEntryError("formula is missing")
    _short_text(formula, "formula")


def _short_text(text: str, what: str) -> str:
    """Refuse what is no name: long texts, line breaks, control characters, halves of characters."""
    if len(text) > MAX_TEXT_CHARS or not text.isprintable():
        raise InvalidEntryError(f"{what} is no short, printable text: {text[:40]!a}")
    return text


def _optional(data: Mapping[str, Any], key: str, kind: type) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise InvalidEntryError(f"{key} is {type(value).__name__}, not {kind.__name__}")
    return value


def _space_group(data: Mapping[str, Any]) -> int | None:
    group = _optional(data, "spg", int)
    if group is not None and (isinstance(group, bool) or not 1 <= group <= 230):
        raise InvalidEntryError(f"spg is {group}, not a space group number")
    return group


def _targets(
    data: Mapping[str, Any], n_atoms: float, volume: float, magnetization: Magnetization
) -> dict[str, float]:
    for key in ("band_gap_ind", "e_form", "e_above_hull", "energy_total", "total_mag", "dos_ef"):
        if data.get(key) is None:
            raise InvalidEntryError(f"target {key} is missing")
        number(data[key], "target ", key)
    try:
        return derive_targets(data, n_atoms, volume, magnetization)
    except ValueError as error:
        raise InvalidEntryError(str(error)) from error
