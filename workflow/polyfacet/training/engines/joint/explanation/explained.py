"""The explainers of a foundation: one per facet whose original form the network reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch

from polyfacet.config.composition import ImageLayout
from polyfacet.encodings.pixels import PixelStore
from polyfacet.facets.compimage.image import WIDTH
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, facet_named, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.materials.picture_files import read_picture
from polyfacet.training.engines.explaining import Array, Compared, Explained, Explainer
from polyfacet.training.engines.joint.crystals import Crystals
from polyfacet.training.engines.joint.examples import Shown
from polyfacet.training.engines.joint.explanation.atoms import AtomExplainer
from polyfacet.training.engines.joint.explanation.errors import errors_of
from polyfacet.training.engines.joint.explanation.properties import (
    ContentOfPixels,
    PropertyExplainer,
    ResizedPictures,
    ScaledNumbers,
)
from polyfacet.training.engines.joint.explanation.readout import Readout, tokens_of
from polyfacet.training.engines.joint.explanation.regions import RegionExplainer
from polyfacet.training.engines.joint.foundation import Foundation
from polyfacet.training.engines.joint.inputs import FacetReader, has_facet, read_rows
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.numeric_facets import pixels

NewExplainer = Callable[[Readout], Explainer]


def explained(
    settings: JointSettings,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
    layout: ImageLayout,
    foundation: Path,
    permuted: Path | None,
    seeds: Sequence[int],
) -> Explained:
    """Return the explainers of a foundation; see `polyfacet.training.engines.declaration.EngineDeclaration`.

    Parameters
    ----------
    settings
        Settings of the method.
    rows
        Test rows, with the columns of the facets and of the objectives.
    background
        Training rows: means of their images are baselines.
    facets, objectives
        Those of the method.
    layout
        Arrangement of composition images.
    foundation, permuted
        Folders of the foundation, and of the one that was trained on permuted values, if there is one.
    seeds
        Seeds of networks with random weights.
    """
    own = Foundation.load(foundation, settings)
    # The controls read the same inputs: what a foundation reads does not depend on the values it learns.
    networks = _Networks(
        own,
        [own.untrained(settings, seed) for seed in seeds],
        None if permuted is None else _comparable(Foundation.load(permuted, settings), own),
    )
    given = _Given(rows, background, facets, layout)
    found = {
        reader.name: compared
        for number, reader in enumerate(own.readers)
        if (compared := _compared(number, reader, networks, given)) is not None
    }
    learned = own.objectives
    units = np.concatenate([learned.scale.spread, np.ones(len(learned.classes))])
    errors, of_constant = errors_of(own, rows, background, facets)
    return Explained((*learned.numbers, *learned.classes), units, errors, of_constant, found)


@dataclass(frozen=True, eq=False)
class _Networks:
    """The network that is explained, and those that it is compared with."""

    own: Foundation
    untrained: Sequence[Foundation]
    permuted: Foundation | None


@dataclass(frozen=True, eq=False)
class _Given:
    """Test rows, training rows, and how their facets are read."""

    rows: pd.DataFrame
    background: pd.DataFrame
    facets: Sequence[Facet]
    layout: ImageLayout


def _comparable(control: Foundation, own: Foundation) -> Foundation | None:
    """Return a control unless it has learned other objectives: of few rows, one may have only one class."""
    same = (control.objectives.numbers, control.objectives.classes) == (
        own.objectives.numbers,
        own.objectives.classes,
    )
    return control if same and control.readers == own.readers else None


def _compared(number: int, reader: FacetReader, networks: _Networks, given: _Given) -> Compared | None:
    """Return the explainers of a facet; None if it is not explained, or no row has it."""
    if not _is_explained(reader) or reader.name not in {each.name for each in given.facets}:
        return None
    has = np.flatnonzero(has_facet(given.rows, facet_named(reader.name)))
    rows = given.rows.iloc[has]
    new = _new_explainer(reader, rows, given.background, given.layout) if len(has) else None
    if new is None:
        return None
    shown = read_rows(rows, networks.own.readers, given.facets)
    classes = _classes(networks.own, shown)

    def explainer(foundation: Foundation) -> Explainer:
        return new(Readout.of(foundation.network, number, shown, classes))

    return Compared(
        has,
        explainer(networks.own),
        [explainer(each) for each in networks.untrained],
        None if networks.permuted is None else explainer(networks.permuted),
    )


def _is_explained(reader: FacetReader) -> bool:
    return reader.name == COMPIMAGE.name or reader.form in ("picture", "crystal")


def _classes(foundation: Foundation, shown: Shown) -> torch.Tensor:
    """Return the class that the network expects of each row, shape ``(rows, objectives with classes)``."""
    if not foundation.objectives.classes:
        return torch.zeros(len(shown), 0, dtype=torch.int64)
    with torch.no_grad():
        said = foundation.network.predict(tokens_of(foundation.network, shown))
    return torch.stack([logits.argmax(dim=1) for logits in said.classes], dim=1)


def _new_explainer(
    reader: FacetReader, rows: pd.DataFrame, background: pd.DataFrame, layout: ImageLayout
) -> NewExplainer | None:
    """Return what makes the explainers of a facet; None if no training row shows it."""
    facet = facet_named(reader.name)
    seen = background[has_facet(background, facet)]
    if reader.form == "crystal":
        crystals = cast(Crystals, reader.read(rows))
        return lambda readout: AtomExplainer(readout, crystals)
    if not len(seen):
        return None
    if facet == COMPIMAGE:
        content_of = _content_of(reader, rows, facet)
        grey, mean = _grey(rows, facet), _grey(seen, facet).mean(dim=0)
        return lambda readout: PropertyExplainer(readout, grey, mean, content_of, layout)
    pictures = cast(torch.Tensor, reader.read(rows)).float()
    mean_pictures = _mean_pictures(seen, facet)
    return lambda readout: RegionExplainer(readout, pictures, mean_pictures)


def _grey(rows: pd.DataFrame, facet: Facet) -> torch.Tensor:
    """Return grey values from 0 to 1, shape ``(rows, 504)``."""
    return torch.tensor(pixels(rows, facet).reshape(len(rows), -1), dtype=torch.float32)


def _content_of(reader: FacetReader, rows: pd.DataFrame, facet: Facet) -> ContentOfPixels:
    if reader.form == "picture":
        mat_id, path = rows.iloc[0][["mat_id", facet.name]]
        return ResizedPictures.of_scale(read_picture(mat_id, Path(path)).width // WIDTH)
    scaling = reader.scaling
    limits = {
        "low": -torch.inf if scaling.low is None else scaling.low,
        "high": torch.inf if scaling.high is None else scaling.high,
    }
    numbers: Mapping[str, torch.Tensor] = {
        name: torch.as_tensor(values, dtype=torch.float32).expand(len(reader.kept))
        for name, values in {"mean": scaling.mean, "deviation": scaling.deviation, **limits}.items()
    }
    return ScaledNumbers(torch.tensor(reader.kept, dtype=torch.int64), **numbers)


def _mean_pictures(rows: pd.DataFrame, facet: Facet) -> torch.Tensor:
    """Return the mean of the pictures of rows, one per view, shape ``(views, 3, 64, 64)``."""
    columns = shown_columns(facet, rows.columns)
    total: Array = np.sum([each.astype(np.float64) for each in PixelStore().each(rows, columns)], axis=0)
    return torch.tensor(total / len(rows), dtype=torch.float32)
