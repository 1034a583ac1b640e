"""Run the scripts that process every structure: sample, CIFs, graphs, texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from handmade import list_structures

import build_graphs
import describe_structures
import sample
import write_structures
from polyfacet.facets.graph.crystal_graph import GRAPHS
from polyfacet.materials.stage_tables import STRUCTURES, TEXTS
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS
from polyfacet.sources.reading_pass import REJECTED_ENTRIES

GRAPH_SETTINGS: dict[str, Any] = {"pauli": "coded", "neighbours": 16, "min_radius": 0.0}


@dataclass(frozen=True)
class Stage:
    """Result of a stage for each material, or the reason for its rejection, by mat_id."""

    rows: Mapping[str, Any]
    reasons: Mapping[str, str]

    def __post_init__(self) -> None:
        """Check that no material has both a result and a reason."""
        assert not self.rows.keys() & self.reasons.keys()


def _stage(table: Path, schema: Any, rejected: Path, rejects_schema: Any = REJECTS) -> Stage:
    rows = read_table(table, schema)
    rejects = read_table(rejected, rejects_schema)
    return Stage(
        {row["mat_id"]: row for row in rows.to_dict("records")},
        dict(zip(rejects["mat_id"], rejects["reason"], strict=True)),
    )


def sampled_and_written(folder: Path, entries: Sequence[Mapping[str, Any]]) -> tuple[Stage, Stage]:
    """Sample all entries and write their CIFs to ``folder/cif``."""
    from handmade import write_entries

    from polyfacet.materials.material import SAMPLE

    write_entries(folder / "entries.json", list(entries))
    outputs = [folder / name for name in ("sample.parquet", "sample.rejected", "sample.json")]
    settings = {"n_materials": "all", "seed": 1, "filters": {}, "magnetization": "absolute"}
    sample.main([folder / "entries.json"], *outputs, **settings, max_rejected_fraction=1.0)
    write_structures.main(
        outputs[0],
        folder / "cif",
        folder / "cif.parquet",
        folder / "cif.rejected",
        provenance=folder / "cif.json",
        shard=0,
        n_shards=1,
        max_rejected_fraction=1.0,
    )
    sampled = _stage(outputs[0], SAMPLE, outputs[1], REJECTED_ENTRIES)
    return sampled, _stage(folder / "cif.parquet", STRUCTURES, folder / "cif.rejected")


def graphs_of(folder: Path, **settings: Any) -> Stage:
    """Build the graphs of the CIFs in ``folder/cif``."""
    build_graphs.main(
        folder / "cif",
        folder / "cif.parquet",
        folder / "graphs.parquet",
        folder / "graphs.rejected",
        provenance=folder / "graphs.json",
        max_rejected_fraction=1.0,
        **(GRAPH_SETTINGS | settings),
    )
    return _stage(folder / "graphs.parquet", GRAPHS, folder / "graphs.rejected")


def graphs_of_shard(cifs: Path, mat_ids: Sequence[str], table: Path, limit: float = 0.05) -> pd.Series:
    """Build the graphs of some CIFs in a folder, as one shard; return the reasons for its rejects."""
    materials, rejected = table.with_suffix(".materials"), table.with_suffix(".rejected")
    list_structures(cifs, mat_ids, materials)
    build_graphs.main(
        cifs,
        materials,
        table,
        rejected,
        provenance=table.with_suffix(".json"),
        max_rejected_fraction=limit,
        **GRAPH_SETTINGS,
    )
    return read_table(rejected, REJECTS).set_index("mat_id")["reason"]


def texts_of(folder: Path, variant: str = "cif", **settings: Any) -> Stage:
    """Write the texts of the CIFs in ``folder/cif``."""
    describe_structures.main(
        folder / "cif",
        folder / "cif.parquet",
        folder / "texts.parquet",
        folder / "texts.rejected",
        provenance=folder / "texts.json",
        form=variant,
        max_rejected_fraction=1.0,
        **settings,
    )
    return _stage(folder / "texts.parquet", TEXTS, folder / "texts.rejected")
