"""Results of materials that outlive a rerun, so that a larger sample costs only its new materials.

Snakemake deletes the outputs of a job that runs again, and with a new sample every job does.  So each job
leaves a record of its results outside of its outputs, and looks there first: a result is used again where
the material's input (by digest) and the recipe (settings, code, packages, what draws) are the same.  A record
is a folder ``shard-<number>-of-<count>``; its table and files are hard links to the outputs, which takes no
room.
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
    """What a job finds of the results of earlier runs, adds to, and leaves for later ones.

    A record that is damaged, or of another recipe, is as good as none.  Records of all shards lie side by
    side, also of another number of them; a job writes none but its own, and removes those whose materials all
    have newer ones.

    Parameters
    ----------
    record
        Folder of this job's record, ``shard-<number>-of-<count>``; None keeps nothing and finds nothing.
    schema
        Schema of the stage's table.
    recipe
        What a result depends on besides the material and the packages: settings and code, for JSON.
    made_of
        The shard's materials, and the digest of what each one's result is made of.
    script
        Script of the stage; the packages that it uses, in their versions, are part of the recipe.
    file_column
        Column that names a file of the stage's folder, if there is one; ``sha256`` is its digest.
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
        """Take over what earlier runs have left, and name the materials whose results are still to be made.

        Parameters
        ----------
        folder
            Where the files go that belong to the results, as hard links.
        """
        waiting = dict(self._made_of)
        for path in self._records():
            if not _shard(path).overlaps(_shard(self._record)):
                continue
            try:
                rows = self._rows(path, waiting, folder)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
                logger.warning("the kept results %s cannot be used, they are made again: %s", path, error)
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
        """Write the stage's table, ordered by mat_id, and leave all of it for later runs.

        Parameters
        ----------
        table
            Output: the results that were taken over, and those that were made.
        provenance
            Output: JSON that says of how many materials results were ``made`` and ``kept``, and ``origin``.
        made
            Rows that were made.
        folder
            Folder of the files that the table names.
        **origin
            What else is to be told.
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
        """List the records of the stage, also those of another number of shards."""
        if self._record is None or not self._record.parent.is_dir():
            return []
        return sorted(path for path in self._record.parent.iterdir() if RECORD_NAME.fullmatch(path.name))

    def _rows(self, path: Path, wanted: Mapping[str, str], folder: Path | None) -> pa.Table:
        """Read the rows of a record that can be used again; their files are in the folder then."""
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
        """Remove the records of another number of shards whose materials all have newer ones by now."""
        records = {_shard(path): path for path in self._records()}
        mine = _shard(self._record)
        ours = [_Shard(number, mine.of) for number in range(mine.of)]
        for old, path in records.items():
            # Of the others, this record is not the last that was missing.
            concerned = old.of != mine.of and old.overlaps(mine)
            if concerned and all(own in records for own in ours if own.overlaps(old)):
                shutil.rmtree(path, ignore_errors=True)


def _shard(path: Path | None) -> _Shard:
    numbers = RECORD_NAME.fullmatch(path.name) if path else None
    if numbers is None:
        raise ValueError(f"{path} is no record of a shard: its name must be shard-<number>-of-<count>")
    return _Shard(int(numbers[1]), int(numbers[2]))


def _of_materials(table: pa.Table, mat_ids: Collection[str]) -> pa.Table:
    return table.filter(pa.array([mat_id in mat_ids for mat_id in table["mat_id"].to_pylist()], pa.bool_()))


def _is_whole(path: Path, digest: str) -> bool:
    if path.is_file() and sha256_of_file(path) == digest:
        return True
    logger.warning("the kept file %s is missing or has changed, it is made again", path)
    return False
