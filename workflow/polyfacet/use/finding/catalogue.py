"""Find the materials of a run that are like a new one, or have a wanted property.

In Python::

    from polyfacet.use.finding.catalogue import Catalogue

    catalogue = Catalogue.open("results/aligned")
    found = catalogue.like(["new_crystals/"], n=5)
    print(found.materials, found.left_out)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd
import pyarrow.parquet as pq

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import column_names, read_table
from polyfacet.training.bundles.description import DESCRIPTION_FILE, REPRESENTATIONS_FILE
from polyfacet.training.representations import (
    ABOUT,
    TOGETHER,
    VALUE,
    representation_column,
    value_column,
)
from polyfacet.use.finding.queries import Asked, Queries
from polyfacet.use.finding.ranking import closest, most_similar, representation_of
from polyfacet.use.prediction.bundle import Bundle, Inputs
from polyfacet.use.prediction.tables import LEFT_OUT

N_FOUND = 10
# Columns of what is found, before those of the material.
ASKED, SCORES = ("query", "facets", "rank"), ("similarity", "difference")


@dataclass(frozen=True)
class Found:
    """What is found.

    Attributes
    ----------
    materials
        ``query`` (what was asked with, as it was given), ``facets`` (what was seen of it), ``rank`` (from 1),
        ``similarity`` (cosine) or ``difference`` (of properties), then ``mat_id``, ``formula``, ``part`` and
        the known values of the found material.
    left_out
        Queries that cannot be asked, with reasons; see `polyfacet.use.prediction.tables.LEFT_OUT`.
    """

    materials: pd.DataFrame
    left_out: pd.DataFrame


class Catalogue:
    """The materials of a run, as the foundation of a method represents them.

    Parameters
    ----------
    bundle
        Bundle of one of the method's cells.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.path = bundle.folder / REPRESENTATIONS_FILE
        self._queries = Queries(bundle)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        threads: int = 1,
        plugins: Sequence[str | Path] = (),
        browser: str | Path | None = None,
    ) -> Self:
        """Open the catalogue of a run or of a bundle.

        Parameters
        ----------
        folder
            Folder of a bundle, or one above bundles, such as that of a run: then the first bundle with most
            facets that has representations.
        threads, plugins, browser
            See `polyfacet.use.prediction.bundle.Bundle.open`.

        Raises
        ------
        UserError
            If there is no such bundle, or it cannot be opened.
        """
        bundle = Bundle.open(_searchable(Path(folder)), threads=threads, plugins=plugins, browser=browser)
        if not (bundle.folder / REPRESENTATIONS_FILE).is_file():
            raise UserError(f"the bundle {folder} has no {REPRESENTATIONS_FILE}: {_HOW}")
        return cls(bundle)

    @property
    def properties(self) -> list[str]:
        """The objectives whose known values can be searched."""
        names = column_names(self.path)
        return [name.removeprefix(VALUE) for name in names if name.startswith(VALUE)]

    def like(
        self, inputs: Inputs, *, by: str | None = None, among: str | None = None, n: int = N_FOUND
    ) -> Found:
        """Find materials like new ones.

        Parameters
        ----------
        inputs
            Structures, formulas or rows of a table; see `polyfacet.use.prediction.inputs.read_inputs`.
        by
            Combination of facets that is seen of the new materials, such as ``text+graph``; all that can be
            made of them by default.
        among
            Facet of the run's materials that is compared; all of them together by default.
        n
            Materials to find for each new one.

        Raises
        ------
        UserError
            If an input cannot be read, or a facet is unknown or cannot be made.
        """
        return self._found(self._queries.of_inputs(inputs, by), among, n)

    def like_formulas(
        self,
        formulas: str | Sequence[str],
        *,
        by: str | None = None,
        among: str | None = None,
        n: int = N_FOUND,
    ) -> Found:
        """Find materials like compositions, by the facets that need no structure; see `like`."""
        given = [formulas] if isinstance(formulas, str) else formulas
        return self._found(self._queries.of_formulas(given, by), among, n)

    def like_picture(
        self, picture: str | Path, *, by: str = "image", among: str | None = None, n: int = N_FOUND
    ) -> Found:
        """Find materials like a PNG; ``by`` is the facet that it shows.  See `like`."""
        return self._found(self._queries.of_picture(Path(picture), by), among, n)

    def like_material(
        self, mat_id: str, *, by: str | None = None, among: str | None = None, n: int = N_FOUND
    ) -> Found:
        """Find materials like one of the run; ``by`` is a single facet or None.  See `like`."""
        known = representation_of(self.path, self._column(by), mat_id)
        if known is None:
            what = f"{mat_id} with the facet {by}" if by else mat_id
            raise UserError(f"the run has no material {what}. Its dataset has them in the column mat_id.")
        asked = Asked([mat_id], [by or "all facets"], known, LEFT_OUT.empty_table().to_pandas())
        return self._found(asked, among, n)

    def near(self, values: Mapping[str, float | str], *, n: int = N_FOUND) -> Found:
        """Find materials whose known values are near wanted ones; those that lack one have no rank.

        Parameters
        ----------
        values
            Objective to the wanted number or class; numbers may be texts.

        Raises
        ------
        UserError
            If the run has no such objective, or the value is none of it.
        """
        if not values:
            raise UserError(f"name an objective and its value; the run has {', '.join(self.properties)}.")
        _check_number(n)
        ranked = closest(self.path, self._wanted(values), n)
        query = ", ".join(f"{name}={value}" for name, value in values.items())
        found = self._with_values(ranked.assign(query=query, facets="", rank=range(1, len(ranked) + 1)))
        return Found(found, LEFT_OUT.empty_table().to_pandas())

    def _found(self, asked: Asked, among: str | None, n: int) -> Found:
        _check_number(n)
        ranked = most_similar(self.path, self._column(among), asked.represented, n)
        tables = [
            each.assign(query=query, facets=facets, rank=range(1, len(each) + 1))
            for query, facets, each in zip(asked.names, asked.facets, ranked, strict=True)
        ]
        columns = ["mat_id", "similarity", "query", "facets", "rank"]
        found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
        return Found(self._with_values(found), asked.left_out)

    def _with_values(self, found: pd.DataFrame) -> pd.DataFrame:
        """Add what is known of the found materials, in the order of `Found.materials`."""
        names = [*ABOUT.names, *map(value_column, self.properties)]
        wanted = [("mat_id", "in", sorted(set(found["mat_id"])))]
        known = pq.read_table(self.path, columns=names, filters=wanted if len(found) else None).to_pandas()
        known = known.rename(columns=lambda name: name.removeprefix(VALUE))
        score = next(name for name in SCORES if name in found)
        columns = [*ASKED, score, *known]
        return found.merge(known, on="mat_id", how="left", validate="many_to_one")[columns]

    def _column(self, facet: str | None) -> str:
        """Return the column of the representations by a facet, or by all of them."""
        if facet is None:
            return TOGETHER
        prefix = representation_column("")
        known = [name.removeprefix(prefix) for name in column_names(self.path) if name.startswith(prefix)]
        if facet not in known:
            raise UserError(f"{facet!r} is not one of the facets of this catalogue: {', '.join(known)}.")
        return representation_column(facet)

    def _wanted(self, values: Mapping[str, float | str]) -> dict[str, float | str]:
        """Return the values as numbers or classes, as their objectives are."""
        schema = pq.read_schema(self.path)
        found: dict[str, float | str] = {}
        for name, value in values.items():
            if name not in self.properties:
                raise UserError(f"the run has no objective {name!r}; it has {', '.join(self.properties)}.")
            if schema.field(value_column(name)).type == "double":
                found[name] = _number(name, value)
                continue
            column = value_column(name)
            labels = sorted(read_table(self.path, columns=[column])[column].dropna().unique())
            if value not in labels:
                raise UserError(f"{name} is one of {', '.join(labels)}, not {value!r}.")
            found[name] = str(value)
        return found


def _number(name: str, value: object) -> float:
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise UserError(f"{name} is a number, not {value!r}.")
    return found


def _check_number(n: int) -> None:
    if n < 1:
        raise UserError(f"the number of materials to find must be at least 1, not {n}.")


_HOW = (
    "only methods that are pretrained to compare facets have it (docs/contrast.md). Configure one and run "
    "`snakemake bundles`."
)


def _searchable(folder: Path) -> Path:
    """Return a bundle, given its own folder or that of its run."""
    if (folder / DESCRIPTION_FILE).is_file() or not folder.is_dir():
        return folder
    # A run, a source, a split, its bundles, a method or a combination.
    places = ("*/*/bundles/*/*/*", "*/bundles/*/*/*", "bundles/*/*/*", "*/*/*", "*/*", "*")
    found = [path.parent for place in places for path in folder.glob(f"{place}/{REPRESENTATIONS_FILE}")]
    if not found:
        raise UserError(f"{folder} has no bundle with representations: {_HOW}")
    return min(found, key=lambda each: (-each.parent.name.count("+"), str(each)))
