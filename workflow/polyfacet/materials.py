"""A material: what the workflow keeps of a raw entry, after checking that it is sound."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import orjson
import pyarrow as pa
from pymatgen.core import Composition
from pymatgen.core.periodic_table import Element

from polyfacet.identifiers import invalid_mat_id_reason
from polyfacet.tables import column
from polyfacet.targets import Magnetization, Target, derive_targets

# What nearly every site holds.
WHOLE_ATOMS = {element.symbol: {"element": element.symbol, "occu": 1.0} for element in Element}
MIN_VOLUME_A3 = 0.1
# Sums of a vector's components that no crystal reaches; far beyond, searches for neighbours never end.
MAX_LATTICE_A = 1e4
MAX_FRACTIONAL = 1e3
MAX_TEXT_CHARS = 200

TARGET_COLUMNS = [
    column(target.value, pa.float64(), target.facts.meaning, target.facts.unit) for target in Target
]
IDENTITY_COLUMNS = [
    column("mat_id", pa.string(), "identifier of the material"),
    column("formula", pa.string(), "reduced formula, elements in the order of the source"),
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


class InvalidEntryError(ValueError):
    """An entry that cannot be used; the message is the reason."""


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
        See `polyfacet.targets.derive_targets`.

    Raises
    ------
    InvalidEntryError
        If anything that a later stage relies on is missing or impossible; the message says what.
    """
    data = _mapping(_mapping(entry, "entry").get("data"), "data")
    reason = invalid_mat_id_reason(data.get("mat_id"))
    if reason:
        raise InvalidEntryError(reason)
    structure = _mapping(entry.get("structure"), "structure")
    matrix = _lattice_matrix(structure)
    volume = _cell_volume(matrix)
    if not math.isfinite(volume) or volume < MIN_VOLUME_A3:
        raise InvalidEntryError(f"cell volume is {volume:.3g} A^3")
    sites = _sites(structure)
    prototype_id = _optional(data, "prototype_id", str)
    if data.get("nsites", len(sites)) != len(sites):
        raise InvalidEntryError(
            f"nsites is {_shown(data['nsites'])}, but the structure has {len(sites)} sites"
        )
    return Material(
        mat_id=data["mat_id"],
        formula=_formula(data),
        prototype_id=_short_text(prototype_id, "prototype_id") if prototype_id else None,
        space_group=_space_group(data),
        n_sites=len(sites),
        volume=volume,
        elements=frozenset({occupant["element"] for site in sites for occupant in site["species"]}),
        targets=_targets(data, len(sites), volume, magnetization),
        structure=_structure_json(matrix, sites),
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


def reduced_formula(formula: str) -> str:
    """Give a formula in the one form that all its spellings share; as it is if it cannot be read."""
    try:
        return Composition(formula).reduced_formula
    except (ValueError, ArithmeticError):
        return formula


def _shown(value: Any) -> str:
    """Show a value in a message: cut to 40 characters; of what may be nested deeply, the kind alone."""
    return type(value).__name__ if isinstance(value, list | dict) else repr(value)[:40]


# The checks below name what is wrong as `what` + `place`, joined only where there is something to say.


def _mapping(value: Any, what: str, place: int | str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidEntryError(f"{what}{place} is " + ("missing" if value is None else "not an object"))
    return value


def _number(value: Any, what: str, place: int | str = "") -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEntryError(f"{what}{place} is {_shown(value)}, not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidEntryError(f"{what}{place} is {number}, not a finite number")
    return number


def _vector(value: Any, limit: float, what: str, place: int | str = "") -> list[float]:
    if not isinstance(value, list) or len(value) != 3:
        raise InvalidEntryError(f"{what}{place} is not a list of three numbers")
    x, y, z = value
    # A short cut for nearly all vectors, where most of the time goes; what is not finite fails it, too.
    if type(x) is type(y) is type(z) is float and abs(x) + abs(y) + abs(z) < limit:
        return value
    vector = [_number(component, what, place) for component in value]
    if sum(map(abs, vector)) >= limit:
        raise InvalidEntryError(f"{what}{place} has components that add up to more than {limit:g}")
    return vector


def _lattice_matrix(structure: Mapping[str, Any]) -> list[list[float]]:
    rows = _mapping(structure.get("lattice"), "lattice").get("matrix")
    if not isinstance(rows, list) or len(rows) != 3:
        raise InvalidEntryError("lattice has no 3 x 3 matrix")
    return [_vector(row, MAX_LATTICE_A, "lattice vector") for row in rows]


def _cell_volume(matrix: list[list[float]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def _sites(structure: Mapping[str, Any]) -> list[dict[str, Any]]:
    sites = structure.get("sites")
    if not isinstance(sites, list) or not sites:
        raise InvalidEntryError("structure has no sites")
    return [_site(site, index) for index, site in enumerate(sites)]


def _site(site: Any, index: int) -> dict[str, Any]:
    """Keep species and fractional coordinates; site properties (moments, forces) are no input of a facet."""
    species = _mapping(site, "site ", index).get("species")
    if not isinstance(species, list) or not species:
        raise InvalidEntryError(f"site {index} has no species")
    return {
        "species": [_occupant(occupant, index) for occupant in species],
        "abc": _vector(site.get("abc"), MAX_FRACTIONAL, "coordinates of site ", index),
    }


def _occupant(occupant: Any, index: int) -> dict[str, Any]:
    element = _mapping(occupant, "species of site ", index).get("element")
    whole = WHOLE_ATOMS.get(element) if isinstance(element, str) else None
    if whole is None:
        raise InvalidEntryError(f"unknown element {_shown(element)} at site {index}")
    occupancy = occupant.get("occu", 1)
    if type(occupancy) is int and occupancy == 1:
        return whole
    return {"element": element, "occu": _number(occupancy, "occupancy of site ", index)}


def _formula(data: Mapping[str, Any]) -> str:
    formula = _optional(data, "formula", str)
    if not formula:
        raise InvalidEntryError("formula is missing")
    return _short_text(formula, "formula")


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
    number = _optional(data, "spg", int)
    if number is not None and (isinstance(number, bool) or not 1 <= number <= 230):
        raise InvalidEntryError(f"spg is {number}, not a space group number")
    return number


def _targets(
    data: Mapping[str, Any], n_sites: int, volume: float, magnetization: Magnetization
) -> dict[str, float]:
    for key in ("band_gap_ind", "e_form", "e_above_hull", "energy_total", "total_mag", "dos_ef"):
        if data.get(key) is None:
            raise InvalidEntryError(f"target {key} is missing")
        _number(data[key], "target ", key)
    return derive_targets(data, n_sites, volume, magnetization)


def _structure_json(matrix: list[list[float]], sites: list[dict[str, Any]]) -> str:
    structure = {
        "@module": "pymatgen.core.structure",
        "@class": "Structure",
        "lattice": {"matrix": matrix},
        "sites": sites,
    }
    return orjson.dumps(structure).decode()
