"""Tables that the stages pass on to each other, one per stage.

A material that a stage rejected is not in its table.
"""

from pathlib import Path

import pyarrow as pa

from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.parquet import column, read_by_material
from polyfacet.runtime.sharding import read_shard

EMBEDDING_SIZE = 128

_MAT_ID = column("mat_id", pa.string(), "identifier of the material")
_IMAGE = column("image", pa.string(), "path of the picture in the folder with the same name as this table")
_SHA256 = column("sha256", pa.string(), "digest of the picture's bytes")

REJECTED_VALUES = pa.schema(
    [
        *(SAMPLE.field(name) for name in ("source_file", "source_position", "mat_id")),
        column("reason", pa.string(), "why the value of the objective cannot be used"),
    ]
)
STRUCTURES = pa.schema(
    [
        _MAT_ID,
        column("formula", pa.string(), "reduced formula of the structure, as pymatgen spells it"),
        column("cif", pa.string(), "file name of the CIF, in the folder with the same name as this table"),
        column("sha256", pa.string(), "digest of the CIF"),
    ]
)
TWINS = pa.schema(
    [
        _MAT_ID,
        column("twin_group", pa.string(), "first identifier of its twins; all of them have the same value"),
        column("formula", pa.string(), "reduced formula"),
        column("compared", pa.bool_(), "false if it could not be determined whether it is a twin of these"),
    ]
)
TEXTS = pa.schema([_MAT_ID, column("text", pa.string(), "text of the material, in the chosen form")])
PICTURES = pa.schema(
    [
        _MAT_ID,
        column("view", pa.string(), "view of the crystal; the views of a montage are joined by +"),
        _IMAGE,
        _SHA256,
        column("n_bonds", pa.int32(), "bonds per unit cell in the scene of the picture"),
        column("bonding_failure", pa.string(), "why the picture shows no bonds", nullable=True),
    ]
)
EMBEDDINGS = pa.schema(
    [
        _MAT_ID,
        column("embedding", pa.list_(pa.float32(), EMBEDDING_SIZE), "PotNet embedding of the structure"),
    ]
)
COMPOSITION_IMAGES = pa.schema([_MAT_ID, _IMAGE, _SHA256])
# Frozen encodings of texts and pictures, of all materials that have the facet.
ENCODINGS = pa.schema([_MAT_ID, column("encoding", pa.list_(pa.float32()), "how the numbers are made")])
# Tables of facets that are declared with a function that makes them.
MADE_TEXTS = pa.schema([_MAT_ID, column("text", pa.string(), "text of the material")])
MADE_PICTURES = pa.schema([_MAT_ID, _IMAGE, _SHA256])
VECTORS = pa.schema([_MAT_ID, column("values", pa.list_(pa.float64()), "numbers of the material")])


def encodings_schema(label: str) -> pa.Schema:
    """Declare a table of frozen encodings, with how its numbers are made as their meaning."""
    field = ENCODINGS.field("encoding")
    return pa.schema([_MAT_ID, column(field.name, field.type, label)])


def intact_structures(manifest: Path, folder: Path) -> dict[str, str]:
    """Return the digests of a shard's CIFs by mat_id, after checking that the files are unchanged.

    Raises
    ------
    UserError
        If a CIF is missing or has changed: its material must not be lost as a reject of a later stage.
    """
    digests = read_by_material(manifest, STRUCTURES, "sha256")
    for mat_id, digest in digests.items():
        path = folder / f"{mat_id}.cif"
        if not path.is_file() or sha256_of_file(path) != digest:
            raise UserError(f"{path} is damaged or missing. Delete its folder {folder} and run again.")
    return digests


def formulas_of_shard(sample: Path, shard: int, n_shards: int) -> dict[str, str]:
    """Return the formulas of a shard of the sample by mat_id; see `polyfacet.runtime.sharding.read_shard`."""
    rows = read_shard(sample, SAMPLE, shard, n_shards, ["mat_id", "formula"])
    return dict(zip(rows["mat_id"], rows["formula"], strict=True))
