"""How the facets of rows become what the network reads; scalings are fitted on the rows it is trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from polyfacet.encodings.pixels import PixelStore
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, GRAPH, encoding_column, facet_named, shown_columns
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.formulas import Formulas, read_formulas
from polyfacet.training.engines.joint.crystals import Crystals, read_crystals, spread_crystals
from polyfacet.training.engines.joint.examples import Content, Shown
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.towers import Form
from polyfacet.training.engines.numeric_facets import original_features
from polyfacet.training.engines.scaling import Scaling

NAME = "joint"


@dataclass(frozen=True)
class FacetReader:
    """Reads a facet.

    Attributes
    ----------
    name
        Name of the facet.
    form
        What its tower reads.
    n_numbers
        How many numbers it has; 0 unless these are read.
    kept
        Which of its numbers are read: those that vary in the training rows.
    scaling
        Scaling of these.
    n_views
        How many pictures a material has; 0 unless pictures are read.
    """

    name: str
    form: Form
    n_numbers: int = 0
    kept: tuple[int, ...] = ()
    scaling: Scaling = field(default_factory=lambda: Scaling.identity(0))
    n_views: int = 0

    @classmethod
    def fit(cls, facet: Facet, rows: pd.DataFrame, settings: JointSettings, is_formula: bool) -> Self:
        """Decide how a facet is read, and fit the scaling of its numbers.

        Parameters
        ----------
        facet
            The facet.
        rows
            Rows that are learned from.
        settings
            Of the engine.
        is_formula
            Whether all texts, also those of other rows, are formulas.
        """
        rows = rows[has_facet(rows, facet)]
        form = "formula" if is_formula else _form_of(facet, rows, settings)
        if form == "picture":
            return cls(facet.name, form, n_views=len(shown_columns(facet, rows.columns)))
        if form not in ("numbers", "columns"):
            return cls(facet.name, form)
        numbers = original_features(rows, [facet])
        known = np.ma.masked_invalid(numbers)
        varies = np.ma.filled(known.max(axis=0) > known.min(axis=0), False)
        kept = np.flatnonzero(varies)
        scaling = Scaling.fit(numbers[:, kept], limited=True)
        return cls(facet.name, form, numbers.shape[1], tuple(kept.tolist()), scaling)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Restore a reader from its fields."""
        lists = {"kept": tuple(record["kept"]), "scaling": Scaling(**record["scaling"])}
        return cls(**{**record, **lists})

    @property
    def is_telling(self) -> bool:
        """Whether the facet can tell rows apart: its numbers, if it has any, are not all constant."""
        return self.form not in ("numbers", "columns") or bool(self.kept)

    def read(self, rows: pd.DataFrame) -> Content:
        """Read rows that all have the facet."""
        facet = facet_named(self.name)
        if self.form == "formula":
            return read_formulas(rows[facet.name].tolist(), NAME)
        if self.form == "crystal":
            return read_crystals(rows, NAME)
        if self.form == "picture":
            return self._pixels(rows, facet)
        numbers = original_features(rows, [facet])
        if numbers.shape[1] != self.n_numbers:
            raise UserError(
                f"the facet {self.name} has {numbers.shape[1]} numbers per material, but the network was "
                f"trained on {self.n_numbers}. Make it with the settings of the training."
            )
        return torch.tensor(self.scaling.scale(numbers[:, self.kept]), dtype=torch.float32)

    def _pixels(self, rows: pd.DataFrame, facet: Facet) -> torch.Tensor:
        columns = shown_columns(facet, rows.columns)
        if len(columns) != self.n_views:
            raise UserError(
                f"the materials have {len(columns)} pictures of the facet {self.name} each, but the network "
                f"was trained on {self.n_views}. Make them with the settings of the training."
            )
        return torch.from_numpy(np.stack(list(PixelStore().each(rows, columns))))

    def record(self) -> dict[str, Any]:
        """Return its fields, as values that JSON can represent."""
        return asdict(self)


def has_facet(rows: pd.DataFrame, facet: Facet) -> NDArray[np.bool_]:
    """Return whether each row has all columns of a facet."""
    columns = shown_columns(facet, rows.columns)
    if not columns:
        return np.zeros(len(rows), dtype=bool)
    return rows[columns].notna().all(axis=1).to_numpy(dtype=bool)


def read_rows(rows: pd.DataFrame, readers: Sequence[FacetReader], wanted: Sequence[Facet]) -> Shown:
    """Read the wanted facets of rows; the others count as missing.

    Parameters
    ----------
    rows
        Rows of the dataset.
    readers
        Of all facets of the network, in its order.
    wanted
        Facets to read.
    """
    names = {facet.name for facet in wanted}
    present = torch.zeros(len(rows), len(readers), dtype=torch.bool)
    contents: dict[str, Content] = {}
    for number, reader in enumerate(readers):
        if reader.name not in names:
            continue
        has = has_facet(rows, facet_named(reader.name))
        present[:, number] = torch.from_numpy(has)
        if has.any():
            contents[reader.name] = spread(reader.read(rows[has]), present[:, number])
    return Shown(contents, present)


def _form_of(facet: Facet, rows: pd.DataFrame, settings: JointSettings) -> Form:
    if facet == COMPIMAGE and settings.compimages == "network":
        return "picture"
    if facet.kind == "image" and not facet.is_numeric and settings.pictures == "network":
        return "picture"
    if facet == GRAPH and settings.graphs == "network":
        return "crystal"
    if not facet.is_numeric and encoding_column(facet) not in rows:
        raise UserError(
            f"the rows have no frozen encoding of the facet {facet.name}, which is no formula, so that the "
            f"engine {NAME} cannot read it"
        )
    return "columns" if facet.needs == "columns" and settings.columns == "tokens" else "numbers"


def spread(content: Content, present: torch.Tensor) -> Content:
    """Insert zeros for the rows without the facet."""
    if isinstance(content, Formulas):
        elements, fractions = (_spread_tensor(each, present) for each in vars(content).values())
        return Formulas(elements, fractions)
    if isinstance(content, Crystals):
        return spread_crystals(content, present)
    return _spread_tensor(content, present)


def _spread_tensor(content: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    spread = content.new_zeros(len(present), *content.shape[1:])
    spread[present] = content
    return spread
