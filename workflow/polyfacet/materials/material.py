"""Materials: what the workflow keeps of a raw entry, and the table of a sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

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
    column("data", pa.string(), "everything else that the source states: data block of the entry, JSON"),
    column("source_file", pa.string(), "file that the entry came from"),
    column("source_position", pa.int64(), "position of the entry in that file, from 0"),
]
SAMPLE = pa.schema([*IDENTITY_COLUMNS, *(each.column for each in PREDEFINED), *ORIGIN_COLUMNS])


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
    # Predefined objectives: name to value.
    objectives: Mapping[str, float]
    structure: str
    data: str


def sample_table(materials: Sequence[Material], source_file: str, positions: Sequence[int]) -> pa.Table:
    """Return materials as rows of the table of a sample, with their file and their positions in it."""
    columns = {
        **{each.name: [material.objectives[each.name] for material in materials] for each in PREDEFINED},
        "source_file": [source_file] * len(materials),
        "source_position": positions,
    }
    for name in SAMPLE.names:
        if name not in columns:
            columns[name] = list(map(attrgetter(name), materials))
    return pa.table(columns, schema=SAMPLE)
