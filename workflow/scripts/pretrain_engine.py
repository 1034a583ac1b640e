"""Create the foundation that all cells of a method on a split share, from the split's training rows."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from polyfacet.facets.aligned import tables_by_facet
from polyfacet.facets.registry import facet_named
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.splits.parts import TRAIN
from polyfacet.training.dataset import read_cell_rows
from polyfacet.training.encoders.hub_cache import read_record, work_offline
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import engine_class
from polyfacet.training.engines.registry import ENGINES


def main(
    sample: Path,
    split: Path,
    tables: list[Path],
    foundation: Path,
    *,
    facets: Sequence[str],
    engine: str,
    settings: Mapping[str, Any],
    repeat: int,
    seed: Annotated[int, Key("seed")],
    encoders: Path | None = None,
    hub_encoders: Path | None = None,
    checkpoints: Mapping[str, str | None] = MappingProxyType({}),
    statistics: Sequence[Path] = (),
    threads: Annotated[int, Key("training.threads")] = 1,
) -> None:
    """Pretrain an engine on the training rows that have all facets of the method.

    It receives neither objectives nor rows of the other parts.

    Parameters
    ----------
    sample, split, tables
        See `train_cells`.
    foundation
        Output: folder.  Trainings keep their state next to it until all are done.
    facets
        All facets that the method uses.
    engine, settings
        Name of the engine and the method's settings.
    repeat, seed
        Their sum is the seed of the repeat.
    encoders, hub_encoders, checkpoints, statistics, threads
        See `train_cells`.

    Raises
    ------
    UserError
        If no training row has all facets.
    """
    if hub_encoders:
        work_offline(read_record(hub_encoders))
    looked_at = [facet_named(name) for name in facets]
    rows = read_cell_rows(sample, split, [], tables_by_facet(looked_at, tables, sample), statistics)
    wanted = set(facets)
    has_all = [wanted <= set(present) for present in rows["facets"]]
    rows = rows[(rows["part"] == TRAIN) & has_all].reset_index(drop=True)
    if rows.empty:
        raise UserError(f"no training row has all of {', '.join(facets)}, so {engine} cannot be pretrained.")
    checked = ENGINES.get(engine).settings(**settings)
    states = foundation.with_name(f"{foundation.name}.states")
    resources = Resources(seed + int(repeat), threads, encoders, states=states, checkpoints=checkpoints)
    with atomic_path(foundation) as folder:
        folder.mkdir()
        engine_class(engine).pretrain(checked, rows, looked_at, folder, resources)
    shutil.rmtree(states, ignore_errors=True)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
