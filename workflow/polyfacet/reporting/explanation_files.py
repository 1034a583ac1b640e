"""The files of an explanation: its tables, and maps over pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.explanation.schema import (
    ATOMS,
    ATOMS_FILE,
    CHECKS,
    CHECKS_FILE,
    CURVES,
    CURVES_FILE,
    IMPORTANCES,
    IMPORTANCES_FILE,
    MAPS_FOLDER,
)
from polyfacet.evaluation.explanation.tables import FacetExplanation
from polyfacet.facets.registry import facet_named, shown_columns
from polyfacet.reporting.explanation_maps import draw_map
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.parquet import write_table
from polyfacet.training.engines.explaining import Array, Compared

TABLES: Mapping[str, pa.Schema] = {
    CHECKS_FILE: CHECKS,
    IMPORTANCES_FILE: IMPORTANCES,
    CURVES_FILE: CURVES,
    ATOMS_FILE: ATOMS,
}


@dataclass
class ExplanationFiles:
    """Collects explanations of facets and writes them.

    Attributes
    ----------
    where
        Columns that are the same in all tables.
    rows
        The test rows.
    objectives
        Columns of the objectives that are explained.
    n_maps
        Materials whose pictures are drawn with maps.
    found
        Facet to its explainers and its explanation.
    """

    where: Mapping[str, Any]
    rows: pd.DataFrame
    objectives: tuple[str, ...]
    n_maps: int
    found: dict[str, tuple[Compared, FacetExplanation]] = field(default_factory=dict)

    def add(self, facet: str, compared: Compared, explanation: FacetExplanation) -> None:
        """Add the explanation of a facet."""
        self.found[facet] = (compared, explanation)

    def write(self, folder: Path) -> None:
        """Write a folder with all tables and maps."""
        with atomic_path(folder) as part:
            (part / MAPS_FOLDER).mkdir(parents=True)
            for name, schema in TABLES.items():
                pieces = [self._table(name, facet) for facet in self.found]
                known = [piece for piece in pieces if len(piece)]
                table = pd.concat(known, ignore_index=True) if known else schema.empty_table().to_pandas()
                write_table(part / name, table.assign(**self.where), schema)
            for facet, (compared, explanation) in self.found.items():
                if compared.own.kind == "regions":
                    self._draw(facet, compared, explanation, part / MAPS_FOLDER)

    def _table(self, name: str, facet: str) -> pd.DataFrame:
        compared, found = self.found[facet]
        if name == ATOMS_FILE:
            rows = _atoms(self.rows["mat_id"].to_numpy()[compared.rows], self.objectives, found)
            return pd.DataFrame(rows if compared.own.kind == "atoms" else ()).assign(facet=facet)
        if name == CHECKS_FILE:
            sizes = {"kind": compared.own.kind, "n_materials": len(compared.rows)}
            return found.checks.assign(facet=facet, **sizes)
        return (found.importances if name == IMPORTANCES_FILE else found.curves).assign(facet=facet)

    def _draw(self, facet: str, compared: Compared, found: FacetExplanation, folder: Path) -> None:
        """Draw the regions of the first view of some materials, with one scale per objective."""
        view = shown_columns(facet_named(facet), self.rows.columns)[0]
        chosen = self.rows.iloc[compared.rows[: self.n_maps]]
        maps = [
            _first_view(each, names)
            for each, names in zip(found.attributions.units, found.names, strict=True)
        ]
        for number, objective in enumerate(self.objectives):
            own = [each[..., number] for each in maps[: self.n_maps]]
            largest = max((float(np.abs(each).max()) for each in own), default=0.0)
            for (mat_id, picture), each in zip(
                chosen[["mat_id", view]].itertuples(index=False), own, strict=True
            ):
                draw_map(Path(picture), each, largest, folder / map_name(facet, objective, mat_id))


def map_name(facet: str, objective: str, mat_id: str) -> str:
    """Return the name of the file of a map; no name of an objective or facet has a blank."""
    return f"{facet} {objective} {mat_id}.png"


def _first_view(contributions: Array, names: Sequence[str]) -> Array:
    n_along = round(sum(name.startswith("view 1,") for name in names) ** 0.5)
    return contributions[: n_along**2].reshape(n_along, n_along, -1)


def _atoms(
    mat_ids: np.ndarray, objectives: tuple[str, ...], found: FacetExplanation
) -> Iterator[dict[str, Any]]:
    """Yield the contribution of each atom."""
    for mat_id, names, values in zip(mat_ids, found.names, found.attributions.units, strict=True):
        for atom, element in enumerate(names):
            for objective, contribution in zip(objectives, values[atom], strict=True):
                yield {
                    "mat_id": mat_id,
                    "atom": atom,
                    "element": element,
                    "objective": objective,
                    "contribution": float(contribution),
                }
