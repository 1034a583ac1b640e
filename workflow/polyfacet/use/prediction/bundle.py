"""Open the bundle of a trained cell and predict new materials with it.

In Python::

    from polyfacet.use.prediction.bundle import Bundle

    bundle = Bundle.open("results/default/crystals/formula-0/bundles/automm/text+graph/gap")
    found = bundle.predict(["new_crystals/"])
    print(found.predictions, found.left_out)
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import pandas as pd
import pyarrow as pa

from polyfacet.config.sources import GivenSource, Source
from polyfacet.facets.registry import facet_named
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import iterate_table, read_table
from polyfacet.runtime.plugins import use_plugins
from polyfacet.runtime.rejects import Reject
from polyfacet.training.bundles.description import (
    BundleDescription,
    check_files,
    read_description,
)
from polyfacet.training.bundles.plugins import check_plugins
from polyfacet.training.engines.registry import ENGINES
from polyfacet.use.prediction.answers import Answers
from polyfacet.use.prediction.facets import Recipe, with_made_facets
from polyfacet.use.prediction.inputs import read_inputs
from polyfacet.use.prediction.tables import LEFT_OUT, NEW_MATERIALS, predictions_schema

# Materials that are in memory, and predicted by one call of the model.
BATCH = 10_000

Inputs = GivenSource | Sequence[GivenSource]


@dataclass(frozen=True)
class Predictions:
    """What is predicted, and what is left out.

    Attributes
    ----------
    predictions
        See `polyfacet.use.prediction.tables.predictions_schema`.
    left_out
        See `polyfacet.use.prediction.tables.LEFT_OUT`.
    """

    predictions: pd.DataFrame
    left_out: pd.DataFrame


class Bundle:
    """All that predictions with a trained cell need.

    Attributes
    ----------
    folder
        Its folder.
    description
        What it says of itself: cell, objective, facets, settings.
    recipe
        What facets of new materials are made of.
    threads, browser
        See `open`.
    """

    def __init__(
        self,
        folder: Path,
        description: BundleDescription,
        *,
        threads: int,
        browser: Path | None,
    ) -> None:
        self.folder, self.description = folder, description
        self.threads, self.browser = threads, browser
        self.recipe = Recipe(
            description.facets,
            description.settings,
            {name: folder / path for name, path in description.fitted.items()},
            description.needs_statistics,
            ENGINES.get(description.cell.engine).missing,
            description.needs_graphs,
        )

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        threads: int = 1,
        plugins: Sequence[str | Path] = (),
        browser: str | Path | None = None,
    ) -> Self:
        """Open a bundle, after checking that its files are intact.

        Parameters
        ----------
        folder
            Folder of the bundle, wherever it was moved.
        threads
            Number of processor cores to use.
        plugins
            Files of the plug-ins that it names.
        browser
            Path of Chromium, which draws pictures of structures; searched for if not given.

        Raises
        ------
        UserError
            If it is not a bundle, is damaged, has another version, or needs a plug-in or a package that is
            missing or differs from the one that it was made with.
        """
        home = Path(folder).resolve()
        description = read_description(home)
        check_files(home, description)
        files = [os.path.abspath(path) for path in plugins]  # noqa: PTH100 - symbolic links stay
        use_plugins(files)
        check_plugins(home, description.plugins)
        _check_packages(home, description)
        return cls(
            home,
            description,
            threads=threads,
            browser=Path(browser) if browser else None,
        )

    @property
    def schema(self) -> pa.Schema:
        """Columns of its predictions, with meanings and units."""
        return predictions_schema(self.description)

    def predict(self, inputs: Inputs) -> Predictions:
        """Predict new materials.

        Parameters
        ----------
        inputs
            Sources; see `polyfacet.use.prediction.inputs.read_inputs`.

        Raises
        ------
        UserError
            If an input cannot be read, or the bundle cannot predict its materials.
        """
        sources = [inputs] if isinstance(inputs, str | Path | Mapping | Source) else list(inputs)
        with TemporaryDirectory(prefix="polyfacet-") as name:
            materials, unread = Path(name, "materials.parquet"), Path(name, "left_out.parquet")
            read_inputs(sources, self.description, materials, unread, self.threads)
            found = list(self.predict_table(materials))
            rejected = read_table(unread, LEFT_OUT)
        predicted = [each.predictions for each in found] or [self.schema.empty_table().to_pandas()]
        return Predictions(
            pd.concat(predicted, ignore_index=True),
            pd.concat([rejected, *(each.left_out for each in found)], ignore_index=True),
        )

    def predict_table(self, materials: Path) -> Iterator[Predictions]:
        """Predict the materials of a table in batches, with one batch in memory.

        Parameters
        ----------
        materials
            Table ``NEW_MATERIALS``.
        """
        for batch in _batches(materials):
            yield self.predict_materials(batch)

    def predict_materials(self, materials: pd.DataFrame) -> Predictions:
        """Predict materials that have been read.

        Parameters
        ----------
        materials
            Rows of `polyfacet.use.prediction.tables.NEW_MATERIALS`.
        """
        with TemporaryDirectory(prefix="polyfacet-") as home:
            rows, rejects = with_made_facets(materials, self.recipe, Path(home), self.threads, self.browser)
            predictions = self._answers.of(rows) if len(rows) else self.schema.empty_table().to_pandas()
        return Predictions(predictions, left_out(materials, predictions, rejects))

    @property
    def notes(self) -> list[str]:
        """What users should know about all predictions: why they have no intervals, for example."""
        what = "sets of classes" if self.description.objective.classes else "intervals"
        reason = self._answers.calibration.why_not
        return [f"there are no {what}: {reason}."] if reason else []

    @cached_property
    def _answers(self) -> Answers:
        return Answers(self.folder, self.description, self.recipe.named, self.threads)


def left_out(materials: pd.DataFrame, kept: pd.DataFrame, rejects: Sequence[Reject]) -> pd.DataFrame:
    """Return the materials that are not among those kept, as rows of ``LEFT_OUT``.

    Of the reasons for a material, that of the earliest stage is the first.
    """
    reasons = {reject.mat_id: reject.reason for reject in reversed(rejects)}
    missing = materials[~materials["mat_id"].isin(kept["mat_id"])]
    return missing.assign(reason=missing["mat_id"].map(reasons))[LEFT_OUT.names]


def _check_packages(home: Path, description: BundleDescription) -> None:
    """Reject a bundle with a facet whose pretrained network is in a package that is not installed."""
    for facet in description.facets:
        network = facet_named(facet.name).network
        if network and (fault := network.package.fault()):
            raise UserError(f"the bundle {home} looks at {facet.name}: {fault}")


def _batches(materials: Path) -> Iterator[pd.DataFrame]:
    """Read a table in batches of `BATCH` rows, whatever its row groups."""
    waiting = NEW_MATERIALS.empty_table()
    for piece in iterate_table(materials, NEW_MATERIALS):
        waiting = pa.concat_tables([waiting, piece])
        while waiting.num_rows >= BATCH:
            yield waiting[:BATCH].to_pandas()
            waiting = waiting[BATCH:]
    if waiting.num_rows:
        yield waiting.to_pandas()
