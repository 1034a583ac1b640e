"""Fit a predictor that looks at no facet: what every cell of its objective has to beat."""

from pathlib import Path
from typing import Annotated, Any

from polyfacet.materials.objectives import Objective
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import write_table
from polyfacet.training.cards import write_card
from polyfacet.training.cells import Cell, train
from polyfacet.training.dataset import read_dataset
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.dummy import Dummy, DummySettings, Statistic


def main(
    dataset: Path,
    predictions: Path,
    model: Path,
    card: Path,
    *,
    baseline: Statistic,
    objective: dict[str, Any],
    split: str,
    seed: Annotated[int, Key("seed")],
) -> None:
    """Fit the dummy; it has no epoch to choose, so that validation rows are training rows.

    Parameters
    ----------
    dataset
        ``_metadata`` of the aligned table of facets, objectives and parts.
    predictions, model, card
        Outputs, of the same form as a trained cell's.
    baseline
        Which statistic of the training part is answered.
    objective
        What is predicted: fields of `polyfacet.materials.objectives.Objective`.
    split
        Name of the repeat of the split.
    seed
        Seed of the run, for the card; nothing here is random.
    """
    resources = Resources(seed)
    cell = Cell((), Objective.from_fields(objective), split, "dummy", seed, resources.threads)
    dummy = Dummy(DummySettings(statistic=baseline), resources)
    table, result = train(cell, dummy, read_dataset(dataset, ()), model)
    write_table(predictions, table, cell.predictions_schema)
    write_card(card, result)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
