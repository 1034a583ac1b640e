"""The tables that rows of cells and foundations are read from: at once, or one shard after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.facets.aligned import (
    check_pictures,
    tables_by_facet,
    with_crystal_graphs,
    with_encodings,
    with_facets,
    without_hidden,
)
from polyfacet.facets.compimage.statistics_table import with_statistics
from polyfacet.facets.declaration import Facet
from polyfacet.materials.derived_objectives import with_derived
from polyfacet.materials.stage_tables import ENCODINGS
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import column_names, read_arrow, read_table
from polyfacet.splits.hidden_facets import HiddenFacets
from polyfacet.splits.parts import SPLIT


@dataclass(frozen=True)
class RowTables:
    """Tables of objectives, facets and parts.

    Attributes
    ----------
    sample, split
        Tables of the source's materials and of their parts; a material without a part is left out.
    objectives
        Columns to predict.
    tables
        Facet to its tables, one per shard.
    statistics
        Tables of composition statistics, for engines that use them.
    derived
        Tables of the objectives that are not in the sample.
    encodings
        Facet to the table of its frozen encodings, for engines that read them.
    hidden
        Facets that the rows do not show; None hides nothing.
    graphs
        Tables of crystal graphs, one per shard, for engines that train a network on them.
    """

    sample: Path
    split: Path
    objectives: Sequence[str]
    tables: Mapping[Facet, Sequence[Path]]
    statistics: Sequence[Path] = ()
    derived: Sequence[Path] = ()
    encodings: Mapping[Facet, Path] = field(default_factory=dict)
    hidden: HiddenFacets | None = None
    graphs: Sequence[Path] = ()

    @classmethod
    def of_job(
        cls,
        sample: Path,
        split: Path,
        objectives: Sequence[str],
        facets: Sequence[Facet],
        tables: Sequence[Path],
        *,
        encodings: Sequence[Path] | None = None,
        hidden: Mapping[str, Any] | None = None,
        **others: Sequence[Path],
    ) -> Self:
        """Assign the files of a job to its facets.

        Parameters
        ----------
        sample, split, objectives
            See the class.
        facets
            Facets of the rows.
        tables
            Tables of the facets that have a stage, grouped by facet, one per shard.
        encodings
            Tables of frozen encodings, each named after its facet; None if none are read.
        hidden
            Fields of `HiddenFacets`; None hides nothing.
        others
            ``statistics``, ``derived`` and ``graphs``, see the class.
        """
        encoded = {path.stem: path for path in encodings or ()}
        return cls(
            sample,
            split,
            objectives,
            tables_by_facet(facets, tables, sample),
            encodings={facet: encoded[facet.name] for facet in facets if facet.name in encoded},
            hidden=HiddenFacets.from_settings(hidden),
            **others,
        )

    def read(self) -> pd.DataFrame:
        """Read all rows, ordered by mat_id; pictures are absolute paths.

        Raises
        ------
        UserError
            If a table is damaged, or a picture is missing or differs from the one recorded in the table.
        """
        return self._aligned(
            self._materials(), self.tables, self.statistics, self.graphs, self._all_encodings()
        )

    def by_shard(self) -> Iterator[pd.DataFrame]:
        """Read the rows of one shard after the other.

        In memory are identifiers, groups, objectives and frozen encodings of all materials, and the facets of
        those of a shard.
        """
        materials, encodings = self._materials(), self._all_encodings()
        n_shards = max((len(paths) for facet, paths in self.tables.items() if facet.stage), default=1)
        shards = np.array([shard_of(mat_id, n_shards) for mat_id in materials["mat_id"]])
        for shard in range(n_shards):
            rows = materials[shards == shard].reset_index(drop=True)
            tables = {facet: [paths[shard]] if facet.stage else paths for facet, paths in self.tables.items()}
            own = slice(None) if n_shards == 1 else slice(shard, shard + 1)
            yield self._aligned(rows, tables, self.statistics[own], self.graphs[own], encodings)

    def _materials(self) -> pd.DataFrame:
        """Read objectives, groups and parts of all materials that have one."""
        elsewhere = {name for path in self.derived for name in column_names(path)}
        own = [name for name in self.objectives if name not in elsewhere]
        materials = with_derived(read_table(self.sample, columns=["mat_id", *own]), self.derived)
        return materials.merge(read_table(self.split, SPLIT), on="mat_id", validate="one_to_one")

    def _all_encodings(self) -> dict[Facet, pa.Table]:
        return {facet: read_arrow(path, ENCODINGS) for facet, path in self.encodings.items()}

    def _aligned(
        self,
        materials: pd.DataFrame,
        tables: Mapping[Facet, Sequence[Path]],
        statistics: Sequence[Path],
        graphs: Sequence[Path],
        encodings: Mapping[Facet, pa.Table],
    ) -> pd.DataFrame:
        """Add what materials show, ordered by mat_id."""
        frame = with_facets(materials, tables)
        check_pictures(frame, list(tables))
        frame = with_encodings(frame.sort_values("mat_id", ignore_index=True), encodings)
        if graphs:
            frame = with_crystal_graphs(frame, graphs)
        frame = without_hidden(frame, list(tables), self.hidden)
        return with_statistics(frame, statistics) if statistics else frame
