"""The materials of a run, with the results of all stages that have finished so far."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.compute import MatchSubstringOptions, call_function

from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.material import IDENTITY_COLUMNS, SAMPLE
from polyfacet.materials.stage_tables import PICTURES, STRUCTURES
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import read_arrow

# More than anyone reads.
MAX_RESULTS = 30


@dataclass(frozen=True)
class Found:
    """Result of a search.

    Attributes
    ----------
    positions
        Positions of the first matches in the catalog, best ones first.
    n_found
        Total number of matches.
    """

    positions: list[int]
    n_found: int


class Catalog:
    """Materials of a run in the order of the sample, found by position or by search.

    User input is only compared with the run's tables; paths come from the tables.

    Parameters
    ----------
    run
        Folder of the run's results.
    n_shards
        Number of shards of its stages.

    Raises
    ------
    UserError
        If the run has no sample yet.
    """

    def __init__(self, run: Path, n_shards: int) -> None:
        sample = run / "sample" / "sample.parquet"
        if not sample.is_file():
            raise UserError(f"{sample} does not exist: run `snakemake` first, at least up to the sample.")
        names = [*(field.name for field in IDENTITY_COLUMNS), *(each.name for each in PREDEFINED)]
        self._materials = read_arrow(sample, SAMPLE, columns=names)
        self._structures = _Stage(run / "structures", n_shards, STRUCTURES, "cif")
        self._pictures = _Stage(run / "images", n_shards, PICTURES, "image")

    def __len__(self) -> int:
        """Count the materials."""
        return int(self._materials.num_rows)

    def facts(self, position: int) -> dict[str, Any]:
        """Return identity and objectives of a material, by column of the sample."""
        (row,) = self._materials.slice(position, 1).to_pylist()
        return dict(row)

    def structure(self, position: int) -> Path | None:
        """Return the path of a material's CIF file; None if it does not exist (yet)."""
        return next(iter(self._structures.files(self.facts(position)["mat_id"])), None)

    def pictures(self, position: int) -> list[str]:
        """Return the pictures of a material, one per view, as data URLs; empty if there are none (yet)."""
        files = self._pictures.files(self.facts(position)["mat_id"])
        return [f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}" for file in files]

    def search(self, text: str) -> Found:
        """Find materials whose identifier or formula contains a text, ignoring case; exact matches first."""
        text = text.strip()
        if not text:
            return Found([], 0)
        columns = [self._materials[name] for name in ("mat_id", "formula")]
        anywhere = MatchSubstringOptions(text, ignore_case=True)
        whole = [call_function("equal", [call_function("utf8_lower", [c]), text.lower()]) for c in columns]
        within = [call_function("match_substring", [c], anywhere) for c in columns]
        is_whole, is_within = (call_function("or", pair) for pair in (whole, within))
        best, rest = (
            call_function("indices_nonzero", [chosen])
            for chosen in (is_whole, call_function("and_not", [is_within, is_whole]))
        )
        positions = [*best.slice(0, MAX_RESULTS).to_pylist(), *rest.slice(0, MAX_RESULTS).to_pylist()]
        return Found(positions[:MAX_RESULTS], len(best) + len(rest))


class _Stage:
    """Files of a stage by material, as listed in the manifests of its shards."""

    def __init__(self, folder: Path, n_shards: int, schema: pa.Schema, column: str) -> None:
        self._folder, self._n_shards, self._schema, self._column = folder, n_shards, schema, column

    def files(self, mat_id: str) -> list[Path]:
        """Return the files of a material; empty if its shard is not finished yet."""
        manifest = self._folder / f"shard-{shard_of(mat_id, self._n_shards)}.parquet"
        if not manifest.is_file():
            return []
        table = read_arrow(manifest, self._schema, columns=["mat_id", self._column])
        names = table.filter(call_function("equal", [table["mat_id"], mat_id]))[self._column].to_pylist()
        files = [manifest.with_suffix("") / name for name in names]
        return [file for file in files if file.is_file()]
