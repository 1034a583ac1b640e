"""Keep trained cells across reruns of their job, so that a job of many cells trains none of them twice.

Snakemake deletes all outputs of a job that runs again, after a kill or because the run has one more
objective.  So each trained cell is also kept outside the outputs, as hard links, which take no space.
It is reused if all its inputs are the same and its files are intact.
"""

import json
import logging
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from polyfacet.runtime.files import atomic_path, link_files, sha256_of_file, write_text
from polyfacet.runtime.identifiers import text_digest
from polyfacet.training.cells import Cell
from polyfacet.training.provenance import Provenance

logger = logging.getLogger(__name__)

RECORD, FILES = "record.json", "files"


class KeptCells:
    """Cells that a job finds from earlier runs, adds to, and keeps for later ones.

    Parameters
    ----------
    folder
        Folder of the job's records, one per cell; None keeps nothing and finds nothing.
    recipe
        Inputs that all cells of the job share, for JSON: seed, facets, code, packages, encoders.
    """

    def __init__(self, folder: Path | None, recipe: Mapping[str, Any]) -> None:
        self._folder = folder
        self._recipe = recipe

    def reuse(self, name: str, cell: Cell, made_of: Provenance, home: Path) -> bool:
        """Reuse a cell that an earlier run has kept.

        Parameters
        ----------
        name
            Name of the cell in the job.
        cell, made_of
            The cell, and its inputs in addition to the recipe.
        home
            Folder of the cell; it is created if the cell can be reused.

        Returns
        -------
        bool
            Whether the cell was reused.
        """
        if self._folder is None:
            return False
        record = self._folder / name
        try:
            said = json.loads((record / RECORD).read_text(encoding="utf-8"))
            if said["made_of"] != self._digest(cell, made_of):
                return False
            if damaged := _damaged(record / FILES, said["files"]):
                raise ValueError(f"{damaged} is missing or has changed")
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            logger.warning("the kept cell %s cannot be used and is trained again: %s", record, error)
            return False
        link_files(record / FILES, home, said["files"])
        return True

    def keep(self, name: str, cell: Cell, made_of: Provenance, home: Path) -> None:
        """Keep a trained cell for later runs."""
        if self._folder is None:
            return
        files = {
            path.relative_to(home).as_posix(): sha256_of_file(path)
            for path in sorted(home.rglob("*"))
            if path.is_file()
        }
        with atomic_path(self._folder / name) as part:
            link_files(home, part / FILES, files)
            facts = {"made_of": self._digest(cell, made_of), "files": files}
            write_text(part / RECORD, json.dumps(facts, indent=2) + "\n")

    def remove_others(self, names: Collection[str]) -> None:
        """Remove the records of cells that the job no longer has."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    def _digest(self, cell: Cell, made_of: Provenance) -> str:
        inputs = made_of.inputs.model_dump() if made_of.inputs else None
        own = [
            asdict(cell.place),
            cell.engine,
            dict(cell.settings),
            cell.combination,
            cell.objective.learned,
            inputs,
            made_of.n_without_part,
        ]
        return text_digest(json.dumps([self._recipe, own], sort_keys=True))


def _damaged(folder: Path, files: Mapping[str, str]) -> str | None:
    """Return the name of a missing or changed file, if any."""
    for name, digest in files.items():
        if not (folder / name).is_file() or sha256_of_file(folder / name) != digest:
            return name
    return None
