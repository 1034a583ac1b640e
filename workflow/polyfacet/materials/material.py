"""Materials: what the workflow keeps of a raw entry, and the table of a sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import pyarrow as pa

from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.runtime.parquet import column

IDENTITY_COLUMNS = [
    column("mat_id", pa.string(), "identifier of the material"),
    column("formula", pa.string(), "reduced formula of the structure, as pymatgen spells it"),
    column("prototype_id", pa.string(), "structure prototype as the source names it", nullable=True),
    column("space_group", pa.int16(), "space group number as the source states it", nullable=True),
    column("n_sites", pa.int32(), "sites in the cell"),
    column("volume", pa.float64(), "volume of the cell", "A^3"),
]
ORIGIN_COLUMNS = [
    column("structure", pa.string(), "lattice (A) and sites (fractional), JSON of a pymatgen Structure"),
    column("data", pa.string(), "everything else that the source states about the material, JSON"),
    column("source_file", pa.string(), "file that the material came from"),
    column("source_position", pa.int64(), "line of a CSV, from 1, or position in that file, from 0"),
]
# Only entries of Alexandria state them; they are null for all other sources.
OBJECTIVE_COLUMNS = [each.column.with_nullable(True) for each in PREDEFINED]
SAMPLE = pa.schema([*IDENTITY_COLUMNS, *OBJECTIVE_COLUMNS, *ORIGIN_COLUMNS])


@dataclass(frozen=True, slots=True)
class Material:
    """A checked material."""

    mat_id: str
    formula: str
    prototype_id: str | None
    space_group: int | None
    n_sites: int
    volume: float
    elements: frozenset[str]
    # Predefined objectives that the source states: name to value.
    objectives: Mapping[str, float | None]
    structure: str
    data: str
    # Energy above hull as the source states it, eV/atom, for the filter; part of no table.
    hull_distance: float | None = None
    # Whether it is an entry of a database, which may correct it under the same identifier; part of no table.
    is_of_database: bool = False


def place_in_file(source_file: str, position: int) -> str:
    """Say where in its source a material is."""
    is_csv = ".csv" in (suffix.lower() for suffix in Path(source_file).suffixes)
    return f"{source_file}, {'line' if is_csv else 'entry'} {position}"


def sample_table(
    materials: Sequence[Material], source_files: str | Sequence[str], positions: Sequence[int]
) -> pa.Table:
    """Return materials as rows of the table of a sample.

    Parameters
    ----------
    materials
        The materials.
    source_files
        The file of each, or of all of them.
    positions
        Their positions in these files.
    """
    files = [source_files] * len(materials) if isinstance(source_files, str) else source_files
    columns = {
        **{each.name: [material.objectives.get(each.name) for material in materials] for each in PREDEFINED},
        "source_file": files,
        "source_position": positions,
    }
    for name in SAMPLE.names:
        if name not in columns:
            columns[name] = list(map(attrgetter(name), materials))
    return pa.table(columns, schema=SAMPLE)
