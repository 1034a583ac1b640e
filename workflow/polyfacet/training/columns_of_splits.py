"""Columns that splits group by: those of a sample, and for tables those of the file."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from polyfacet.config.run import CRYSTALS
from polyfacet.config.taken_names import TAKEN_BY_TABLES
from polyfacet.facets.registry import FACETS
from polyfacet.materials.material import SAMPLE
from polyfacet.sources.tables.description import table_source
from polyfacet.sources.tables.schemas import rows_schema
from polyfacet.training.sources import splits_of_source


def columns_of_samples(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """List the columns of each source's sample that have one value per material, whatever the splits."""
    tables = {name: rows_schema(table_source(name, each)) for name, each in config["tables"].items()}
    samples = {CRYSTALS: SAMPLE, **tables} if config["sources"] else tables
    return {
        source: [field.name for field in schema if not pa.types.is_list(field.type)]
        for source, schema in samples.items()
    }


def columns_from_file(config: Mapping[str, Any], table: str) -> list[str]:
    """List the columns that the splits of a table use and that are read from its file for them alone.

    Parameters
    ----------
    config
        A complete configuration that `polyfacet.training.feasibility.check_feasible` accepts.
    table
        Name of the table.
    """
    own = columns_of_samples(config)[table]
    named = {split["column"] for split in splits_of_source(config, table).values()}
    return sorted(name for name in named if name is not None and name not in own)


def is_reserved(name: str) -> bool:
    """Return whether a column of a file cannot keep its name beside the columns of a sample and a dataset."""
    return name in TAKEN_BY_TABLES or facet_with_column(name) is not None


def facet_with_column(name: str) -> str | None:
    """Return the facet to which a column of this name would belong; None if there is none.

    All columns that begin with a facet's name and ``_`` belong to the facet.
    """
    return next((each for each in FACETS.all() if name == each or name.startswith(f"{each}_")), None)
