"""Represent all materials of a split by the foundation of a method, for `polyfacet find`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from polyfacet.facets.registry import facet_named
from polyfacet.runtime.parquet import read_by_material, write_pieces
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.creation import engine_class
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.foundations import check_foundation
from polyfacet.training.representations import ABOUT, representations_schema, represented
from polyfacet.training.row_tables import RowTables
from polyfacet.training.seen_rows import what_engines_see


def main(
    sample: Path,
    split: Path,
    tables: list[Path],
    foundation: Path,
    representations: Path,
    *,
    facets: Sequence[str],
    objectives: Mapping[str, bool],
    engine: str,
    settings: Mapping[str, Any],
    derived: Sequence[Path] = (),
    encodings: list[Path] | None = None,
    hidden: Mapping[str, Any] | None = None,
    graphs: Sequence[Path] = (),
) -> None:
    """Write the representations, with the facets of one shard in memory.

    Parameters
    ----------
    sample, split, tables, derived, encodings, hidden, graphs
        See `train_cells`.
    foundation
        Foundation of the method; one that could not be made leaves an empty table.
    representations
        Output: table of `polyfacet.training.representations.representations_schema`.
    facets
        All facets of the method.
    objectives
        Columns of the objectives to whether they are numbers, not classes.
    engine, settings
        Name of the engine and the method's settings.
    """
    looked_at = [facet_named(name) for name in facets]
    schema = representations_schema(looked_at, objectives)

    def pieces() -> Iterator[pa.Table]:
        try:
            check_foundation(foundation)
        except EngineError:
            return
        aligned = RowTables.of_job(
            sample,
            split,
            list(objectives),
            looked_at,
            tables,
            encodings=encodings,
            hidden=hidden,
            derived=derived,
            graphs=graphs,
        )
        formulas = read_by_material(sample, ABOUT, "formula")
        checked = ENGINES.get(engine).settings(**settings)
        views = [looked_at, *((facet,) for facet in looked_at)]
        for rows in aligned.by_shard():
            if rows.empty:
                continue
            seen = what_engines_see(rows, looked_at)
            known = engine_class(engine).represent(checked, seen, views, foundation)
            about = rows.assign(formula=rows["mat_id"].map(formulas))
            yield represented(about, looked_at, known, schema)

    write_pieces(representations, pieces(), schema)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
