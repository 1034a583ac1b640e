"""Results of materials that survive a rerun, so that a larger sample costs only its new materials.

Snakemake deletes the outputs of a job that is rerun, and a new sample reruns every job.  So each job keeps a
record of its results outside its outputs and looks there first: a result is reused if the material's input
(by digest) and the recipe (settings, code, packages, renderer) are the same.  A record is a folder
``shard-<number>-of-<count>``; its table and files are hard links to the outputs, which take no extra space.
"""

import json
import logging
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from polyfacet.runtime.files import atomic_path, link_file, link_files, sha256_of_file, write_text
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.packages import package_versions
from polyfacet.runtime.parquet import read_arrow, write_table

logger = logging.getLogger(__name__)

RECORD_NAME = re.compile(r"shard-(\d+)-of-(\d+)")
RECORD, TABLE, FILES = "record.json", "table.parquet", "files"


class _Shard(NamedTuple):
    number: int
    of: int

    def overlaps(self, other: "_Shard") -> bool:
        return (
            self.number * other.of < (other.number + 1) * self.of
            and other.number * self.of < (self.number + 1) * other.of
        )


class KeptResults:
    """Results of earlier runs that a job reuses, extends and keeps for later runs.

    Damaged records and records of a different recipe are ignored.  Records of all shards are in one folder,
    even for different numbers of shards; a job writes only its own record, and removes those whose materials
    all have newer ones.

    Parameters
    ----------
    record
        Folder of this job's record, ``shard-<number>-of-<count>``; None disables reuse and keeping.
    schema
        Schema of the stage's table.
    recipe
        What a result depends on besides the material and the packages: settings and code, as JSON values.
    made_of
        The shard's materials, each with the digest of the input of its result.
    script
        Script of the stage; the versions of the packages that it uses are part of the recipe.
    file_column
        Column with names of files in the stage's folder, if there are any; ``sha256`` is their digest.
    """

    def __init__(
        self,
        record: Path | None,
        schema: pa.Schema,
        recipe: Mapping[str, Any],
        made_of: Mapping[str, str],
        *,
        script: Path,
        file_column: str | None = None,
    ) -> None:
        self._record = record
        self._schema = schema
        self._recipe = text_digest(json.dumps([recipe, package_versions(script)], sort_keys=True))
        self._made_of = made_of
        self._file_column = file_column
        self._reused = schema.empty_table()

    def reuse(self, folder: Path | None = None) -> list[str]:
        """Reuse kept results, and return the materials whose results are still to be computed.

        Parameters
        ----------
        folder
            Folder in which to create hard links to the files of the reused results.
        """
        waiting = dict(self._made_of)
        for path in self._records():
            if not _shard(path).overlaps(_shard(self._record)):
                continue
            try:
                rows = self._rows(path, waiting, folder)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
                logger.warning("the kept results %s cannot be used and are recomputed: %s", path, error)
                continue
            self._reused = pa.concat_tables([self._reused, rows])
            for mat_id in set(rows["mat_id"].to_pylist()):
                del waiting[mat_id]
        return list(waiting)

    def write(
        self,
        table: Path,
        provenance: Path,
        made: Sequence[Mapping[str, Any]],
        folder: Path | None = None,
        **origin: Any,
    ) -> None:
        """Write the stage's table, ordered by mat_id, and keep it for later runs.

        Parameters
        ----------
        table
            Output: reused and new results.
        provenance
            Output: JSON with the numbers of materials whose results were ``made`` and ``kept``, and
            ``origin``.
        made
            New rows.
        folder
            Folder of the files that the table names.
        **origin
            Further entries of the provenance.
        """
        new = pa.Table.from_pylist([dict(row) for row in made], schema=self._schema)
        write_table(table, pa.concat_tables([self._reused, new]).sort_by("mat_id"), self._schema)
        if self._record is not None:
            self._keep(self._record, table, folder)
            self._remove_superseded()
        counts = {
            name: len(set(rows["mat_id"].to_pylist()))
            for name, rows in (("made", new), ("kept", self._reused))
        }
        write_text(provenance, json.dumps({**origin, **counts}, indent=2, sort_keys=True) + "\n")

    def _keep(self, record: Path, table: Path, folder: Path | None) -> None:
        rows = read_arrow(table, self._schema)
        with atomic_path(record) as part:
            part.mkdir()
            link_file(table, part / TABLE)
            if folder is not None:
                link_files(folder, part / FILES, rows[self._file_column].to_pylist())
            facts = {
                "recipe": self._recipe,
                "table_sha256": sha256_of_file(table),
                "made_of": {mat_id: self._made_of[mat_id] for mat_id in rows["mat_id"].to_pylist()},
            }
            write_text(part / RECORD, json.dumps(facts))

    def _records(self) -> list[Path]:
        """List the records of the stage, including those for another number of shards."""
        if self._record is None or not self._record.parent.is_dir():
            return []
        return sorted(path for path in self._record.parent.iterdir() if RECORD_NAME.fullmatch(path.name))

    def _rows(self, path: Path, wanted: Mapping[str, str], folder: Path | None) -> pa.Table:
        """Read the rows of a record that can be reused, and link their files into the folder."""
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
        if record["recipe"] != self._recipe:
            return self._schema.empty_table()
        content = (path / TABLE).read_bytes()
        if sha256(content).hexdigest() != record["table_sha256"]:
            raise ValueError("its table has changed")
        table = pq.read_table(pa.BufferReader(content)).cast(self._schema)
        same = {mat_id for mat_id, digest in record["made_of"].items() if wanted.get(mat_id) == digest}
        rows = _of_materials(table, same)
        if folder is None:
            return rows
        files = (rows[name].to_pylist() for name in ("mat_id", self._file_column, "sha256"))
        damaged = {
            mat_id
            for mat_id, name, digest in zip(*files, strict=True)
            if not _is_whole(path / FILES / name, digest)
        }
        rows = _of_materials(rows, same - damaged)
        link_files(path / FILES, folder, rows[self._file_column].to_pylist())
        return rows

    def _remove_superseded(self) -> None:
        """Remove the records for another number of shards whose materials all have newer records."""
        records = {_shard(path): path for path in self._records()}
        mine = _shard(self._record)
        ours = [_Shard(number, mine.of) for number in range(mine.of)]
        for old, path in records.items():
            # Only records that overlap this one can have been completed by it.
            concerned = old.of != mine.of and old.overlaps(mine)
            if concerned and all(own in records for own in ours if own.overlaps(old)):
                shutil.rmtree(path, ignore_errors=True)


def _shard(path: Path | None) -> _Shard:
    numbers = RECORD_NAME.fullmatch(path.name) if path else None
    if numbers is None:
        raise ValueError(f"{path} is not a record of a shard: its name must be shard-<number>-of-<count>")
    return _Shard(int(numbers[1]), int(numbers[2]))


def _of_materials(table: pa.Table, mat_ids: Collection[str]) -> pa.Table:
    return table.filter(pa.array([mat_id in mat_ids for mat_id in table["mat_id"].to_pylist()], pa.bool_()))


def _is_whole(path: Path, digest: str) -> bool:
    if path.is_file() and sha256_of_file(path) == digest:
        return True
    logger.warning("the kept file %s is missing or has changed and is recreated", path)
    return False
