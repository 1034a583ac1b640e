"""Train one cell: a combination of facets, an objective, a repeat of the split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from polyfacet.facets.compimage.statistics_table import with_statistics
from polyfacet.facets.registry import facets_of
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import write_table
from polyfacet.training.cards import write_card
from polyfacet.training.cells import Cell, train
from polyfacet.training.dataset import read_dataset
from polyfacet.training.encoders.hub_cache import read_record, work_offline
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.registry import create


def main(
    dataset: Path,
    encoders: Path | None,
    predictions: Path,
    model: Path,
    card: Path,
    *,
    combination: str,
    objective: dict[str, Any],
    split: str,
    text: Annotated[str, Key("composition.text")],
    engine: str,
    settings: dict[str, Any],
    seed: Annotated[int, Key("seed")],
    hub_encoders: Path | None = None,
    checkpoints: Mapping[str, str | None] = MappingProxyType({}),
    statistics: Sequence[Path] = (),
    threads: Annotated[int, Key("engine.threads")] = 1,
) -> None:
    """Train the cell on the materials that have all of its facets.

    Parameters
    ----------
    dataset
        ``_metadata`` of the aligned table of facets, objectives and parts.
    encoders
        Folder of local encoder checkpoints; None takes the preset's, from the hub.
    predictions, model, card
        Outputs: table of predictions, folder of the trained model, JSON card.
    combination
        Facets, as ``text+image``.
    objective
        What is predicted: fields of `polyfacet.materials.objectives.Objective`.
    split
        Name of the repeat of the split.
    text
        Form of the text facet (see `polyfacet.facets.text.variants`).
    engine, settings
        Name of the engine and its settings.
    seed
        Seed of the training.
    hub_encoders
        Record of the encoders that were fetched from the hub; training then works from their cache alone.
    checkpoints
        Facet to the checkpoint that its encoder starts from instead: a folder, or a repository of the hub.
    statistics
        Tables of the statistics of the compositions, for engines that look at these.
    threads
        Processor threads to use.
    """
    fetched = read_record(hub_encoders) if hub_encoders else None
    if fetched:
        work_offline(fetched)
    facets = facets_of(combination)
    cell = Cell(facets, Objective.from_fields(objective), split, engine, seed, threads, text)
    materials = read_dataset(dataset, facets)
    if statistics:
        materials = with_statistics(materials, statistics)
    trainer = create(engine, settings, Resources(seed, threads, encoders, checkpoints=checkpoints))
    table, result = train(cell, trainer, materials, model)
    if fetched:
        started_from = {e.facet.value: e.identity for e in fetched.encoders if e.facet in facets}
        result = result.model_copy(update={"encoders": result.encoders | started_from})
    write_table(predictions, table, cell.predictions_schema)
    write_card(card, result)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
