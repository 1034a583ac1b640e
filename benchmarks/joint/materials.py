"""The materials of a repeat, made by the workflow's own stages."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.config.run import CRYSTALS
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE, TEXT
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.objectives import Objective
from polyfacet.splits.parts import TEST, TRAIN, VALID
from polyfacet.training.row_tables import RowTables
from polyfacet.training.seen_rows import have_facets, rows_of_foundation, what_engines_see

# The seed of a run, to which that of a repeat is added (`seed` in docs/configuration.md).
SEED = 42
TABLES = {TEXT: "text-composition", IMAGE: "images", GRAPH: "embeddings", COMPIMAGE: "composition_images"}
OF_SPLIT = (GRAPH, COMPIMAGE)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Study:
    """A configuration whose stages make the materials, split by formula.

    Attributes
    ----------
    run
        Name of the run, and of its configuration.
    facets
        All facets, which the materials have.
    encoded
        Facets that are read by their frozen encoding, or may be.
    objectives
        What is predicted, all of it numbers.
    source
        Name of the source of materials.
    """

    run: str
    facets: tuple[Facet, ...]
    encoded: tuple[Facet, ...] = ()
    objectives: tuple[Objective, ...] = tuple(each.objective for each in PREDEFINED)
    source: str = CRYSTALS

    @property
    def config(self) -> str:
        """Path of the configuration."""
        return f"config/studies/{self.run}.yaml"

    @property
    def folder(self) -> Path:
        """Folder of the results."""
        return Path("results") / self.run / self.source

    @property
    def derived(self) -> list[Path]:
        """Tables of the objectives that are no columns of the sample."""
        found = (self.folder / "objectives" / f"{each.column}.parquet" for each in self.objectives)
        return [path for path in found if path.exists()]


JOINT = Study("joint", (TEXT, IMAGE, GRAPH, COMPIMAGE), (TEXT, IMAGE))


@dataclass(frozen=True, eq=False)
class Materials:
    """Aligned rows of all parts of a repeat.

    Attributes
    ----------
    rows
        ``mat_id``, ``group``, ``part``, the columns of facets and objectives; ``facets`` lists those that a
        row has.
    facets
        All facets.
    objectives
        All objectives, which are numbers.
    repeat
        Number of the repeat.
    """

    rows: pd.DataFrame
    facets: tuple[Facet, ...]
    objectives: tuple[Objective, ...]
    repeat: int

    @property
    def seed(self) -> int:
        """Seed of the repeat."""
        return SEED + self.repeat

    def random(self, purpose: int) -> np.random.Generator:
        """Return random numbers of the repeat."""
        return np.random.default_rng([self.seed, purpose])

    def trained_on(self, facets: Sequence[Facet], *, missing: bool) -> pd.DataFrame:
        """Return the training rows with all of some facets, or any of them, as a foundation gets them."""
        return rows_of_foundation(self.rows, facets, self.objectives, missing=missing)

    def part(self, name: str) -> pd.DataFrame:
        """Return the rows of a part, with all facets."""
        return self._parts[name]

    def truth(self, name: str) -> NDArray[np.float64]:
        """Return the true values of a part, shape ``(rows, objectives)``."""
        return self.part(name)[[each.column for each in self.objectives]].to_numpy(np.float64)

    def with_hidden(self, hidden: Mask) -> "Materials":
        """Hide facets of the training rows; ``hidden`` has shape ``(training rows, facets)``."""
        facets = self.rows["facets"].tolist()
        of_train = np.flatnonzero(self.rows["part"] == TRAIN)
        for row, left in zip(of_train, _left(self.facets, hidden), strict=True):
            facets[row] = left
        return replace(self, rows=self.rows.assign(facets=facets))

    def with_training_rows(self, filled: pd.DataFrame) -> "Materials":
        """Replace the facets of the training rows, all of which they now have."""
        is_trained_on = self.rows["part"] == TRAIN
        own = filled.assign(part=TRAIN, facets=[[facet.name for facet in self.facets]] * len(filled))
        rows = pd.concat([self.rows[~is_trained_on], own[self.rows.columns.intersection(own.columns)]])
        return replace(self, rows=rows.reset_index(drop=True))

    def showing(self, name: str, hidden: Mask) -> pd.DataFrame:
        """Return the rows of a part without hidden facets; ``hidden`` has shape ``(rows, facets)``."""
        rows = self.rows[self.rows["part"] == name]
        return self._seen(rows.assign(facets=_left(self.facets, hidden)))

    @property
    def n_train(self) -> int:
        """Number of training rows."""
        return int((self.rows["part"] == TRAIN).sum())

    @cached_property
    def _parts(self) -> dict[str, pd.DataFrame]:
        return {name: self._seen(self.rows[self.rows["part"] == name]) for name in (TRAIN, VALID, TEST)}

    def _seen(self, rows: pd.DataFrame) -> pd.DataFrame:
        known = {name: rows[name] for name in ("group", *(each.column for each in self.objectives))}
        return what_engines_see(rows, self.facets).assign(**known).reset_index(drop=True)


def read_materials(repeat: int, cores: int, study: Study = JOINT) -> Materials:
    """Make what is missing of a repeat, and read the materials that have all facets."""
    split, sample = study.folder / f"formula-{repeat}", study.folder / "sample" / "sample.parquet"
    encodings = {facet: split / "encodings" / f"{facet.name}.parquet" for facet in study.encoded}
    # The aligned dataset needs all tables of facets.
    _make(study, [split / "dataset" / "_metadata", *encodings.values()], cores)
    tables = {
        facet: _tables(split if facet in OF_SPLIT else study.folder, facet) if facet.stage else [sample]
        for facet in study.facets
    }
    rows = RowTables(
        sample,
        split / "split.parquet",
        [each.column for each in study.objectives],
        tables,
        derived=study.derived,
        encodings=encodings,
    ).read()
    complete = rows[have_facets(rows, study.facets, missing=False)].reset_index(drop=True)
    return Materials(complete, study.facets, study.objectives, repeat)


def _left(facets: Sequence[Facet], hidden: Mask) -> list[list[str]]:
    """List the facets of each row that are not hidden."""
    names = [facet.name for facet in facets]
    return [[name for name, hides in zip(names, row, strict=True) if not hides] for row in hidden]


def _tables(folder: Path, facet: Facet) -> list[Path]:
    found = (folder / TABLES[facet]).glob("shard-*.parquet")
    return sorted(path for path in found if "rejected" not in path.name)


def _make(study: Study, targets: Sequence[Path], cores: int) -> None:
    """Run the workflow's stages; those that are finished do not run again."""
    command = [sys.executable, "-m", "snakemake", *map(str, targets), "--cores", str(cores)]
    subprocess.run([*command, "--configfile", study.config, "--quiet", "all"], check=True)  # noqa: S603
