"""A material: what the workflow keeps of a raw entry, and the table of a sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import pyarrow as pa

from polyfacet.materials.crystal_objectives import PREDEFINED, CrystalObjective
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
    column("source_file", pa.string(), "file that the entry came from"),
    column("source_position", pa.int64(), "position of the entry in that file, from 0"),
]


def sample_schema(more: Sequence[CrystalObjective] = ()) -> pa.Schema:
    """Declare the table of a sample, with objectives beside the predefined ones."""
    objectives = [each.column for each in (*PREDEFINED, *more)]
    return pa.schema([*IDENTITY_COLUMNS, *objectives, *ORIGIN_COLUMNS])


# What every sample has.
SAMPLE = sample_schema()


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
    objectives: Mapping[str, float | None]
    structure: str


def sample_table(
    materials: Sequence[Material], source_file: str, positions: Sequence[int], schema: pa.Schema = SAMPLE
) -> pa.Table:
    """Give materials that stand at some positions of a file as rows of the table of a sample."""
    names = materials[0].objectives if materials else ()
    columns = {
        **{name: [material.objectives[name] for material in materials] for name in names},
        "source_file": [source_file] * len(materials),
        "source_position": positions,
    }
    for name in schema.names:
        if name not in columns:
            columns[name] = list(map(attrgetter(name), materials))
    return pa.table(columns, schema=schema)
