"""Answers of a bundle's model for rows with facets: predictions, intervals, distances."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.compimage.element_table import read_elements
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name
from polyfacet.runtime.errors import UserError
from polyfacet.training.bundles.description import (
    ELEMENT_TABLE,
    MODEL_FOLDER,
    TRAINING_SET_FILE,
    BundleDescription,
)
from polyfacet.training.bundles.distances import TrainingSet
from polyfacet.training.cells import NO_FACET
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.creation import load
from polyfacet.training.engines.probabilities import class_probabilities
from polyfacet.training.learnable import check_predictions
from polyfacet.training.seen_rows import what_engines_see
from polyfacet.use.prediction.calibration import Calibration
from polyfacet.use.prediction.tables import ABOUT_MATERIALS, predictions_schema, probability_columns


class Answers:
    """A loaded bundle, ready to answer.

    Attributes
    ----------
    calibration
        What is known of the errors.

    Parameters
    ----------
    folder
        Folder of the bundle.
    description
        Its description.
    facets
        The facets that the model looks at.
    threads
        Number of processor threads of the model.
    """

    def __init__(
        self, folder: Path, description: BundleDescription, facets: Sequence[Facet], threads: int
    ) -> None:
        self._bundle, self._facets = description, tuple(facets)
        self._engine = load(folder / MODEL_FOLDER, threads)
        self.calibration = Calibration(folder, description)
        self._training_set = TrainingSet(
            pd.read_parquet(folder / TRAINING_SET_FILE),
            read_elements(folder / description.fitted[ELEMENT_TABLE]),
            description.comparison.vectors,
        )

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Predict rows, as `polyfacet.use.prediction.tables.predictions_schema` declares.

        Parameters
        ----------
        rows
            Materials with their origin, their formula, the columns of the facets, and ``facets``, which
            lists those that each has.

        Raises
        ------
        UserError
            If the model cannot predict a row.
        """
        schema = predictions_schema(self._bundle)
        nearest = self._training_set.nearest(rows)
        near = nearest.distance <= self._bundle.comparison.threshold
        frame = rows[list(ABOUT_MATERIALS)].assign(
            **self._predicted(rows),
            distance=nearest.distance,
            unlike=~near,
            nearest=pd.Series(nearest.mat_id, rows.index, dtype=object),
            facets=pd.Series(map(self._looked_at, rows["facets"]), rows.index, dtype=object),
        )
        return frame[schema.names]

    def _looked_at(self, present: Sequence[str]) -> str:
        """Name the facets of the model that a material has."""
        return combination_name(facet for facet in self._facets if facet.name in present) or NO_FACET

    def _predicted(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Return the columns of the prediction and of what is known of its error."""
        seen = what_engines_see(rows, self._facets)
        try:
            predicted = self._engine.predict(seen)
            check_predictions(predicted, self._engine.objective)
            probabilities = class_probabilities(self._engine, seen)
        except EngineError as error:
            raise UserError(f"the model cannot predict these materials: {error}") from error
        objective = self._bundle.objective
        if not objective.classes:
            return {"prediction": predicted, **self.calibration.intervals(predicted), "unit": objective.unit}
        names = probability_columns(objective.classes)
        shown = np.full((len(rows), len(names)), np.nan) if probabilities is None else probabilities
        return {
            "prediction": predicted,
            **dict(zip(names, shown.T, strict=True)),
            "prediction_set": self.calibration.sets(probabilities, rows.index),
        }
