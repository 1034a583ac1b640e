"""Columns of the table of retrieval."""

import pyarrow as pa

from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

RECALLS = (1, 5, 10, 25)
RECIPROCAL_RANK, MEDIAN_RANK = "mrr", "median_rank"

RETRIEVAL = pa.schema(
    [
        *(field for field in IDENTITY if field.name in ("source", "split", "repeat", "method")),
        column("query", pa.string(), "facet that is asked with"),
        column("item", pa.string(), "facet of the materials that are searched"),
        column(
            "gallery", pa.string(), "all test materials, 250 of them, or those of its elements or formula"
        ),
        column("relevance", pa.string(), "what answers a query: the material itself, or any of its formula"),
        column("metric", pa.string(), "recall@k, mrr (mean reciprocal rank) or median_rank"),
        column("value", pa.float64(), "the value; materials with the same score are in random order"),
        column(
            "low", pa.float64(), "lower limit of its 95 % interval (bootstrap of formulas)", nullable=True
        ),
        column("high", pa.float64(), "upper limit", nullable=True),
        column("chance", pa.float64(), "the value of random rankings"),
        column(
            "possible", pa.float64(), "the best value, if a facet that tells the formula alone tells no more"
        ),
        column("n_queries", pa.int64(), "queries"),
        column("n_items", pa.float64(), "mean number of materials in a gallery"),
    ]
)
