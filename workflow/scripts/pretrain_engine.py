"""Create the foundation that all cells of a method on a split share, from the split's training rows."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from polyfacet.facets.registry import facet_named
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path, scratch_folder
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.progress import tell
from polyfacet.training.encoders.hub_cache import read_record, work_offline
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import engine_class
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.engines.training_rows import TrainingRows
from polyfacet.training.foundations import record_failure
from polyfacet.training.permuted_rows import PermutedRows
from polyfacet.training.row_tables import RowTables
from polyfacet.training.rows_on_disk import RowsOnDisk


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
    objectives: Sequence[Mapping[str, Any]] = (),
    encoders: Path | None = None,
    hub_encoders: Path | None = None,
    checkpoints: Mapping[str, str | None] = MappingProxyType({}),
    statistics: Sequence[Path] = (),
    derived: Sequence[Path] = (),
    encodings: list[Path] | None = None,
    hidden: Mapping[str, Any] | None = None,
    graphs: Sequence[Path] = (),
    threads: Annotated[int, Key("training.threads")] = 1,
    permuted: bool = False,
) -> None:
    """Pretrain an engine on the training rows that have all facets of the method.

    If the engine accepts rows that lack facets, rows with any of them count.  It never receives rows of the
    other parts, and objectives only if its foundation learns from them.  Data that it cannot learn from
    leave a foundation that says so, with which all cells of the method fail.

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
    objectives
        Fields of `polyfacet.materials.objectives.Objective` that the foundation learns from, if it learns.
    encoders, hub_encoders, checkpoints, statistics, derived, encodings, hidden, graphs, threads
        See `train_cells`.
    permuted
        Whether the foundation learns the objective values of other materials: the control of explanations.
    """
    if hub_encoders:
        work_offline(read_record(hub_encoders))
    looked_at = [facet_named(name) for name in facets]
    learned = [Objective.from_fields(each) for each in objectives]
    aligned = RowTables.of_job(
        sample,
        split,
        [objective.column for objective in learned],
        looked_at,
        tables,
        encodings=encodings,
        hidden=hidden,
        statistics=statistics,
        derived=derived,
        graphs=graphs,
    )
    declared = ENGINES.get(engine)
    rows: TrainingRows = RowsOnDisk(
        aligned.read,
        aligned.by_shard,
        looked_at,
        learned,
        declared.missing,
    )
    if permuted:
        columns = [objective.column for objective in learned]
        rows = PermutedRows(rows, columns, seed + int(repeat))
    states = foundation.with_name(f"{foundation.name}.states")
    with (
        atomic_path(foundation) as folder,
        scratch_folder(foundation.with_name(f"{foundation.name}.scratch")) as scratch,
    ):
        folder.mkdir()
        resources = Resources(seed + int(repeat), threads, encoders, states, scratch, checkpoints)
        try:
            checked = declared.settings(**settings)
            engine_class(engine).pretrain_streaming(checked, rows, looked_at, learned, folder, resources)
        except EngineError as error:
            raise_machine_failure(error)
            tell(f"The foundation could not be made, so all cells of the method fail: {error}")
            record_failure(folder, str(error))
    shutil.rmtree(states, ignore_errors=True)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
