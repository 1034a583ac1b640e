"""Train the methods of one engine on one split of a table, each on every target.

Most of these cells take less time than the start of a process, so that one job trains many.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from polyfacet.facets.registry import facets_of
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.progress import track
from polyfacet.sources.tables.description import table_source
from polyfacet.training.cards import write_card
from polyfacet.training.cells import Cell, train
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.registry import create
from polyfacet.training.table_dataset import read_table_dataset


def main(
    dataset: Path,
    cells: Path,
    *,
    table: str,
    description: Annotated[dict[str, Any], Key("tables.table")],
    split_method: str,
    repeat: int,
    engine: str,
    methods: Mapping[str, Mapping[str, Any]],
    seed: Annotated[int, Key("seed")],
    threads: Annotated[int, Key("engine.threads")] = 1,
) -> None:
    """Train the cells of one job; their models are not kept.

    Parameters
    ----------
    dataset
        The aligned table of features, targets and parts.
    cells
        Output: folder of ``<method>/<target>/card.json`` and ``predictions.parquet``.  Trainings keep their
        state beside it until all is done, so that a job that was killed goes on where it was.
    table, description
        Name of the table and what its columns mean.
    split_method
        How the test part was split off.
    repeat
        Which repeat of the split.
    engine
        Name of the engine.
    methods
        ``facets`` and ``settings`` of each method.
    seed
        Seed of the run; each repeat trains with its own.
    threads
        Processor threads to use.
    """
    objectives = table_source(table, description).objectives
    own_seed, name = seed + int(repeat), f"{table}/{split_method}-{repeat}"
    todo = [(method, objective) for method in methods for objective in objectives]
    materials = read_table_dataset(dataset, objectives)
    states = cells.with_name(f"{cells.name}.states")
    resources = Resources(own_seed, threads, states=states)
    with atomic_path(cells) as folder, TemporaryDirectory() as scratch:
        for method, objective in track(todo, f"{engine}, {name}", len(todo)):
            facets = facets_of(methods[method]["facets"])
            cell = Cell(facets, objective, name, engine, own_seed, threads)
            predictions, card = train(
                cell,
                create(engine, methods[method]["settings"], resources),
                materials,
                Path(scratch) / method / objective.column,
            )
            results = folder / method / objective.column
            write_card(results / "card.json", card)
            write_table(results / "predictions.parquet", predictions, cell.predictions_schema)
    shutil.rmtree(states, ignore_errors=True)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
