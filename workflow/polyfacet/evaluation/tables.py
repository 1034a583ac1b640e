"""The results of a run as tables: cells and scores.  Predictions have the schema of those of cells."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from polyfacet.facets.registry import FACETS, facets_of
from polyfacet.runtime.parquet import column
from polyfacet.training.cards import Card
from polyfacet.training.cells import IDENTITY, NO_FACET

CELLS = pa.schema(
    [
        *IDENTITY,
        column("split_method", pa.string(), "method of the split"),
        column("engine", pa.string(), "engine that was trained"),
        column("label", pa.string(), "name of the objective in tables and figures"),
        column("unit", pa.string(), "unit of the objective, empty for classes"),
        column("classes", pa.list_(pa.string()), "classes of the objective; empty for numbers"),
        column("is_baseline", pa.bool_(), "whether the method uses no facets"),
        column("status", pa.string(), "ok or failed"),
        column("reason", pa.string(), "why the cell failed", nullable=True),
        column("contains_answer", pa.bool_(), "whether the facets together reveal the objective"),
        column("n_train", pa.int64(), "materials trained on, including validation rows if trained on"),
        column("n_valid", pa.int64(), "materials that selected the epoch or the checkpoints"),
        column("n_test", pa.int64(), "materials tested on"),
        column("n_missing", pa.int64(), "materials that lack a facet of the combination or the objective"),
        column("n_without_part", pa.int64(), "materials of the sample to which the split assigns no part"),
        column("tested", pa.string(), "digest of the identifiers of the materials tested on"),
        column("seed", pa.int64(), "seed of training"),
        column("wall_time_s", pa.float64(), "time of the cell", "s"),
        column("peak_memory_mib", pa.float64(), "peak memory of the process", "MiB"),
    ]
)
SCORES = pa.schema(
    [
        *IDENTITY,
        column("class", pa.string(), "class of the score; all for numbers and for all classes together"),
        column("metric", pa.string(), "name of the score"),
        column(
            "value",
            pa.float64(),
            "score on the test part",
            "that of the objective for MAE and RMSE, otherwise none",
            nullable=True,
        ),
        column("reason", pa.string(), "why there is no value", nullable=True),
    ]
)
KEYS = [field.name for field in IDENTITY]
# Identity of a cell, regardless of the repeat of its split.
CELL = [name for name in KEYS if name != "repeat"]


def cell_row(card: Card, shown: Mapping[str, str]) -> dict[str, Any]:
    """Flatten a card to a row of ``CELLS``, with the label and unit shown for its objective."""
    facts = card.model_dump()
    flat = {**facts, **facts["counts"], **facts["cost"], **shown}
    return {name: flat[name] for name in CELLS.names}


def order_of_combination(combination: str) -> tuple[int, list[int]]:
    """Return the sort key of a combination: the number of its facets, then the facets."""
    if combination == NO_FACET:
        return 0, []
    order = list(FACETS.all())
    places = [order.index(facet.base) for facet in facets_of(combination)]
    return len(places), places
