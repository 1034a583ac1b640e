"""Make the bundle of a finished cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.facets.compimage.element_table import read_elements
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, facets_of, shown_columns
from polyfacet.runtime.files import link_file, link_folder, sha256_of_file
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import TEST, TRAIN, VALID
from polyfacet.training.bundles.description import (
    CALIBRATION_FILE,
    ELEMENT_TABLE,
    FITTED_FOLDER,
    MODEL_FOLDER,
    REPRESENTATIONS_FILE,
    TRAINING_SET_FILE,
    BundleDescription,
    BundledFacet,
    BundledObjective,
    CellOfBundle,
    Comparison,
    FacetSettings,
    TableColumns,
    digests_of,
    encoder_name,
    write_description,
)
from polyfacet.training.bundles.distances import QUANTILE, TrainingSet, training_set_schema
from polyfacet.training.bundles.plugins import bundled_plugins
from polyfacet.training.cards import Card
from polyfacet.training.cells import NO_FACET, PREDICTIONS
from polyfacet.training.engines.registry import ENGINES, needs_graphs, needs_statistics, reads_encoding

# Columns of the predictions that intervals follow from.
CALIBRATION = pa.schema(
    [
        PREDICTIONS.field(name)
        for name in ("mat_id", "y_true", "y_pred", "true_class", "predicted_class", "probabilities")
    ]
)


@dataclass(frozen=True)
class SplitFiles:
    """What the bundles of a split share.

    Attributes
    ----------
    materials
        ``mat_id``, ``formula`` and the facets of the materials.
    element_table
        Table of element properties.
    fitted
        Fitted files that facets need, by facet and name.
    forms
        Facet to the variant used where a combination names none.
    settings
        Sections of the configuration that determine the facets.
    calibrated
        See `polyfacet.training.bundles.description.BundleDescription`.
    table
        Columns of the source, if it is a table.
    encoders
        Facet to the encoder of its frozen encoding.
    representations
        Method to the representations of all materials by its foundation, for methods that have them.
    """

    materials: pd.DataFrame
    element_table: Path
    fitted: Mapping[str, Mapping[str, Path]]
    forms: Mapping[str, str]
    settings: FacetSettings
    calibrated: bool
    table: TableColumns | None = None
    encoders: Mapping[str, Path] = field(default_factory=dict)
    representations: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class FinishedCell:
    """The results of a trained cell.

    Attributes
    ----------
    folder
        Folder with its model and predictions.
    objective
        What it predicts, with label and unit.
    """

    folder: Path
    card: Card
    objective: BundledObjective

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The facets that it looks at."""
        return () if self.card.combination == NO_FACET else facets_of(self.card.combination)

    def predictions(self) -> pd.DataFrame:
        """Read its predictions."""
        return read_table(self.folder / "predictions.parquet", PREDICTIONS)


class BundleWriter:
    """Writes the bundles of a split, and what several of them need only once.

    Parameters
    ----------
    files
        What the bundles share.
    """

    def __init__(self, files: SplitFiles) -> None:
        self.files = files
        # Digest of a table of training materials to the first file with it, and to its threshold.
        self._tables: dict[str, Path] = {}
        self._thresholds: dict[str, float] = {}

    def write(self, cell: FinishedCell, folder: Path) -> BundleDescription:
        """Write the bundle of a cell into an empty folder, all but its card.

        Returns
        -------
        BundleDescription
            What the bundle says of itself.
        """
        predictions = cell.predictions()
        link_folder(cell.folder / MODEL_FOLDER, folder / MODEL_FOLDER)
        fitted = self._link_fitted(cell, folder)
        test = predictions[predictions["part"] == TEST]
        write_table(folder / CALIBRATION_FILE, test[CALIBRATION.names], CALIBRATION)
        comparison = self._write_training_set(cell, predictions, folder / TRAINING_SET_FILE)
        card = cell.card
        if representations := self.files.representations.get(card.method):
            link_file(representations, folder / REPRESENTATIONS_FILE)
        description = BundleDescription(
            cell=CellOfBundle(**{name: getattr(card, name) for name in CellOfBundle.model_fields}),
            objective=cell.objective,
            facets=tuple(self._facet(facet) for facet in cell.facets),
            settings=self.files.settings,
            fitted=fitted,
            needs_statistics=needs_statistics(card.engine, card.settings),
            needs_graphs=needs_graphs(card.engine, card.settings),
            # Grey levels may have been fitted on all rows; other facets never are.
            calibrated=self.files.calibrated or all(each.base != COMPIMAGE.name for each in cell.facets),
            table=self.files.table,
            comparison=comparison,
            plugins=bundled_plugins(card.engine, card.settings, cell.facets),
            versions=card.origin.versions,
            files=digests_of(folder),
        )
        write_description(folder, description)
        return description

    def _facet(self, facet: Facet) -> BundledFacet:
        form = facet.form or self.files.forms.get(facet.base, "")
        columns = shown_columns(facet, self.files.materials.columns)
        return BundledFacet(name=facet.name, form=form, columns=tuple(columns))

    def _link_fitted(self, cell: FinishedCell, folder: Path) -> dict[str, str]:
        """Link the fitted files that the cell needs, each named after its digest."""
        wanted = {ELEMENT_TABLE: self.files.element_table}
        for facet in cell.facets:
            if not facet.network:
                wanted |= self.files.fitted.get(facet.base, {})
        wanted |= {
            encoder_name(facet.name): self.files.encoders[facet.name]
            for facet in cell.facets
            if reads_encoding(facet, cell.card.engine, cell.card.settings)
        }
        (folder / FITTED_FOLDER).mkdir()
        names = {}
        for name, path in wanted.items():
            names[name] = f"{FITTED_FOLDER}/{sha256_of_file(path)}{path.suffix}"
            link_file(path, folder / names[name])
        return names

    def _write_training_set(self, cell: FinishedCell, predictions: pd.DataFrame, path: Path) -> Comparison:
        # Materials that may lack a vector are compared by what all of them have: the composition.
        compared = () if ENGINES.get(cell.card.engine).missing else cell.facets
        vectors = [facet.name for facet in compared if facet.kind == "vector"]
        trained_on = _trained_on(cell.card, predictions)
        materials = self.files.materials
        rows = materials.loc[materials["mat_id"].isin(trained_on), ["mat_id", "formula", *vectors]]
        sizes = {name: len(rows[name].iloc[0]) for name in vectors}
        write_table(path, rows, training_set_schema(sizes))
        # Most cells of a split have the same training materials.
        digest = sha256_of_file(path)
        if digest in self._tables:
            path.unlink()
            link_file(self._tables[digest], path)
        else:
            self._tables[digest] = path
        if digest not in self._thresholds:
            known = TrainingSet(rows, read_elements(self.files.element_table), vectors)
            self._thresholds[digest] = known.threshold()
        return Comparison(vectors=tuple(vectors), quantile=QUANTILE, threshold=self._thresholds[digest])


def _trained_on(card: Card, predictions: pd.DataFrame) -> set[str]:
    """Return the materials that the saved model is trained on, validation rows included if it is."""
    is_used = predictions["part"] == TRAIN
    if card.counts.n_train > is_used.sum():
        is_used |= predictions["part"] == VALID
    return set(predictions.loc[is_used, "mat_id"])
