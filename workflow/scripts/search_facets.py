"""Find the test materials of a split by each of their facets, and measure their representations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.representations.tables import GEOMETRY, geometry_of
from polyfacet.evaluation.retrieval.schema import RETRIEVAL
from polyfacet.evaluation.retrieval.searching import searched_materials
from polyfacet.evaluation.retrieval.tables import retrieval_of
from polyfacet.facets.registry import facet_named
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import SPLIT, TEST, TRAIN
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.creation import engine_class
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.foundations import check_foundation
from polyfacet.training.row_tables import RowTables
from polyfacet.training.seen_rows import what_engines_see

UNTRAINED = "untrained"
# Test materials that are searched: all are compared with each other.  Training materials that simple methods
# are fitted on.
MOST_SEARCHED, MOST_FITTED = 2_000, 16_384


def main(
    sample: Path,
    split: Path,
    tables: list[Path],
    foundation: Path,
    retrieval: Path,
    geometry: Path,
    *,
    place: Mapping[str, Any],
    facets: Sequence[str],
    engine: str,
    settings: Mapping[str, Any],
    seed: Annotated[int, Key("seed")],
    encodings: list[Path] | None = None,
    hidden: Mapping[str, Any] | None = None,
    graphs: Sequence[Path] = (),
) -> None:
    """Write how well materials are found, by the foundation and by simple methods.

    Parameters
    ----------
    sample, split, tables, encodings, hidden, graphs
        See `train_cells`.
    foundation
        Foundation of the method; one that could not be made leaves empty tables.
    retrieval, geometry
        Outputs: tables of ``RETRIEVAL`` and ``GEOMETRY``.
    place
        Fields of `polyfacet.training.cells.Place`.
    facets
        All facets of the method.
    engine, settings
        Name of the engine and the method's settings.
    seed
        Seed of the run.
    """
    where = {name: place[name] for name in ("source", "split", "method")} | {"repeat": int(place["repeat"])}
    try:
        check_foundation(foundation)
    except EngineError:
        write_table(retrieval, RETRIEVAL.empty_table(), RETRIEVAL)
        write_table(geometry, GEOMETRY.empty_table(), GEOMETRY)
        return
    looked_at = [facet_named(name) for name in facets]
    chosen = _chosen(split)
    aligned = RowTables.of_job(
        sample, split, [], looked_at, tables, encodings=encodings, hidden=hidden, graphs=graphs
    )
    rows = pd.concat([piece[piece["mat_id"].isin(chosen)] for piece in aligned.by_shard()])
    rows = rows.sort_values("mat_id", ignore_index=True)
    formulas = read_table(sample, columns=["mat_id", "formula"]).set_index("mat_id")["formula"]
    seen = what_engines_see(rows[rows["part"] == TEST].reset_index(drop=True), looked_at)
    declared, own_seed = ENGINES.get(engine), seed + where["repeat"]
    checked = declared.settings(**settings)
    names = [facet.name for facet in looked_at]
    represented = {}
    for name, untrained_seed in ((str(where["method"]), None), (UNTRAINED, own_seed)):
        views = [(facet,) for facet in looked_at]
        known = engine_class(engine).represent(checked, seen, views, foundation, untrained_seed)
        told = {facet: each for facet, each in zip(names, known, strict=True) if np.isfinite(each).any()}
        represented[name] = told
    by_row = rows["mat_id"].map(formulas)
    found = retrieval_of(searched_materials(rows, by_row, looked_at, represented), own_seed)
    write_table(retrieval, found.assign(**{**where, "method": found["method"]}), RETRIEVAL)
    measured = geometry_of(represented)
    write_table(geometry, measured.assign(**{**where, "method": measured["method"]}), GEOMETRY)


def _chosen(split: Path) -> set[str]:
    """Choose the materials that are searched, and those that simple methods are fitted on."""
    parts = read_table(split, SPLIT)
    found: set[str] = set()
    for part, most in ((TEST, MOST_SEARCHED), (TRAIN, MOST_FITTED)):
        mat_ids = parts.loc[parts["part"] == part, "mat_id"]
        found.update(sorted(mat_ids, key=lambda mat_id: stable_hash("searched", mat_id))[:most])
    return found


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
