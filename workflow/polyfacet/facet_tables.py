"""What the stages of the facets hand over to the dataset: one table each.

A material that a stage rejected is not in its table.
"""

import pyarrow as pa

from polyfacet.tables import column

EMBEDDING_SIZE = 128
EMBEDDING = pa.list_(pa.float32(), EMBEDDING_SIZE)

_MAT_ID = column("mat_id", pa.string(), "identifier of the material")
_IMAGE = column("image", pa.string(), "file name of the picture; its folder is named like this table")
_SHA256 = column("sha256", pa.string(), "digest of the picture's bytes")

TEXTS = pa.schema([_MAT_ID, column("text", pa.string(), "composition text")])
PICTURES = pa.schema(
    [_MAT_ID, _IMAGE, _SHA256, column("n_bonds", pa.int32(), "bonds that the picture's scene holds")]
)
EMBEDDINGS = pa.schema([_MAT_ID, column("embedding", EMBEDDING, "PotNet embedding of the structure")])
COMPOSITION_IMAGES = pa.schema([_MAT_ID, _IMAGE, _SHA256])
