"""The tables of a run's evaluation, and what the page looks up in them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from polyfacet.evaluation.metrics import ALL
from polyfacet.evaluation.tables import CELLS
from polyfacet.facets.registry import SEPARATOR
from polyfacet.runtime.parquet import iterate_table, n_rows, read_table
from polyfacet.splits.methods import SPLIT_METHODS
from polyfacet.splits.parts import TEST
from polyfacet.training.cells import NO_FACET, PREDICTIONS

# Too large to be read at once; read row by row where needed.
PREDICTED = "predictions"
ANY, BASELINE = "any", "baseline"
# After names of cells whose facets reveal the objective.
DAGGER = " †"
# After names of facets whose encoder is untrained.
CONTROL = "untrained control"
NONTRIVIAL = "Non-trivial test values differ from the most frequent one."


@dataclass(frozen=True)
class Place:
    """A source on a split."""

    source: str
    split: str
    n_repeats: int
    # Of the method of the split.
    label: str

    @property
    def title(self) -> str:
        """Name in headings and captions."""
        repeats = "one repeat" if self.n_repeats == 1 else f"{self.n_repeats} repeats"
        # Most splits are named after their method.
        how = "" if self.split in self.label else f", {self.label}"
        return f"{self.source}, split {self.split}{how} ({repeats})"

    @property
    def name(self) -> str:
        """Name in identifiers and file names."""
        return f"{self.source}-{self.split}"

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Select the rows of this source and split."""
        if table.empty:
            return table
        return table[(table["source"] == self.source) & (table["split"] == self.split)]


class Results:
    """The evaluation of a run.

    Parameters
    ----------
    files
        Parquet files of the evaluation; their names are those of the tables.  A table that is missing,
        because its question does not arise, is empty.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = {path.stem: path for path in files}
        self._read: dict[str, pd.DataFrame] = {}
        self.cells = read_table(self.files["cells"], CELLS)

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table by name; empty if it does not exist."""
        if name not in self._read:
            path = self.files.get(name)
            self._read[name] = pd.DataFrame() if path is None else read_table(path)
        return self._read[name]

    def n_rows(self, name: str) -> int:
        """Return the number of rows of a table that exists."""
        return n_rows(self.files[name])

    @cached_property
    def places(self) -> list[Place]:
        """Sources and splits, in the order of the cells."""
        labels = {name: method.label for name, method in SPLIT_METHODS.all().items()}
        groups = self.cells.groupby(["source", "split", "split_method"], sort=False)["repeat"]
        return [
            Place(str(source), str(split), own.nunique(), labels.get(str(method), str(method)))
            for (source, split, method), own in groups
        ]

    @cached_property
    def _objectives(self) -> dict[str, dict[str, dict[Any, Any]]]:
        """Source and objective to label, unit and classes, in the order of the configuration."""
        found: dict[str, dict[str, dict[Any, Any]]] = {}
        once = self.cells.drop_duplicates(["source", "objective"])
        for row in once[["source", "objective", "label", "unit", "classes"]].to_dict("records"):
            found.setdefault(row["source"], {})[row["objective"]] = row
        return found

    def labels(self, source: str) -> dict[str, str]:
        """Return the objectives of a source and their labels, in the order of the configuration."""
        return {name: facts["label"] for name, facts in self._objectives[source].items()}

    def units(self, source: str) -> dict[str, str]:
        """Return the objectives of a source and their units."""
        return {name: facts["unit"] for name, facts in self._objectives[source].items()}

    def with_unit(self, source: str, objective: str) -> str:
        """Return the label of an objective with its unit."""
        facts = self._objectives[source][objective]
        return f"{facts['label']} ({facts['unit']})" if facts["unit"] else facts["label"]

    def classes(self, source: str, objective: str) -> list[str]:
        """Return the classes of an objective; empty for numbers."""
        return list(self._objectives[source][objective]["classes"])

    def loss_name(self, source: str, objective: str) -> str:
        """Return what the loss of an objective is."""
        return "1 - macro F1" if self.classes(source, objective) else "MASE"

    def order_of_methods(self, place: Place) -> list[tuple[str, str]]:
        """Return the methods and combinations of a place; those without facets last."""
        own = place.of(self.cells).drop_duplicates(["method", "combination"])
        pairs = list(zip(own["method"], own["combination"], strict=True))
        methods = list(dict.fromkeys(own["method"]))
        return sorted(pairs, key=lambda pair: (pair[1] == NO_FACET, methods.index(pair[0])))

    def repeats_of(self, place: Place) -> dict[str, int]:
        """Return the number of repeats of each method."""
        own = place.of(self.cells)
        return {str(name): int(n) for name, n in own.groupby("method", sort=False)["n_repeats"].max().items()}

    def flagged(self, place: Place) -> set[tuple[str, str, str]]:
        """Return method, combination and objective of the cells whose facets reveal the objective."""
        own = place.of(self.cells)
        own = own[own["contains_answer"]]
        return set(zip(own["method"], own["combination"], own["objective"], strict=True))

    def sees_answer(self, place: Place, objective: str, role: str) -> bool:
        """Return whether a cell whose facets reveal the objective was chosen for a role in any repeat."""
        choices = place.of(self["choices"])
        if choices.empty:
            return False
        own = choices[(choices["objective"] == objective) & (choices["role"] == role)]
        keys = own[["method", "combination", "objective"]].itertuples(index=False, name=None)
        return not self.flagged(place).isdisjoint(keys)

    def controls(self, place: Place) -> dict[tuple[str, str], set[str]]:
        """Return the facets that a method and combination sees through an untrained encoder, if any."""
        own = place.of(self.cells)
        found: dict[tuple[str, str], set[str]] = {}
        for method, combination, names in own[["method", "combination", "untrained"]].itertuples(index=False):
            if len(names):
                found.setdefault((method, combination), set()).update(names)
        return found

    def test_rows(self, place: Place, objective: str) -> pd.DataFrame:
        """Return ``n_test`` and ``n_nontrivial`` of the repeats in which an objective was scored."""
        scores = place.of(self["scores"])
        if scores.empty:
            return pd.DataFrame(columns=["repeat", "n_test", "n_nontrivial"])
        own = scores[(scores["objective"] == objective) & (scores["class"] == ALL) & (scores["n_test"] > 0)]
        return own[["repeat", "n_test", "n_nontrivial"]].drop_duplicates()

    def most_chosen(self, place: Place, objective: str, role: str = ANY) -> tuple[str, str] | None:
        """Return the method and combination that validation rows chose most often for a role."""
        own = place.of(self["choices"])
        if own.empty:
            return None
        own = own[(own["objective"] == objective) & (own["role"] == role)]
        if own.empty:
            return None
        counts = own.groupby(["method", "combination"], sort=False).size()
        return counts.index[int(counts.argmax())]

    @cached_property
    def chosen_predictions(self) -> pd.DataFrame:
        """Predictions for test rows of the cells that were chosen for the roles any and baseline.

        Columns ``role``, the identity of the cell, ``mat_id`` and the true and predicted values.
        """
        choices = self["choices"]
        keys = ["source", "split", "repeat", "objective", "method", "combination"]
        if choices.empty or PREDICTED not in self.files:
            return pd.DataFrame()
        chosen = choices.loc[choices["role"].isin((ANY, BASELINE)), ["role", *keys]]
        columns = [*keys, "mat_id", "part", "y_true", "y_pred", "true_class", "predicted_class"]
        rows = pc.field("part") == TEST
        for name in ("method", "combination"):
            rows &= pc.field(name).isin(chosen[name].unique().tolist())
        pieces = [
            piece.filter(rows).to_pandas().merge(chosen, on=keys)
            for piece in iterate_table(self.files[PREDICTED], PREDICTIONS, columns=columns)
        ]
        return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()


def row_name(method: str, combination: str) -> str:
    """Name a method with its facets."""
    return method if combination == NO_FACET else f"{method}: {facets_text(combination)}"


def facets_text(combination: str, untrained: Collection[str] = ()) -> str:
    """Name a combination of facets for readers; those with an untrained encoder are called controls."""
    if combination == NO_FACET:
        return "no facet"
    return " + ".join(
        f"{name} ({CONTROL})" if name in untrained else name for name in combination.split(SEPARATOR)
    )


def marked(method: str, repeats: Mapping[str, int], place: Place) -> str:
    """Name a method; with its number of repeats if it has fewer than the split."""
    n = repeats.get(method, place.n_repeats)
    return method if n >= place.n_repeats else f"{method} ({n} of {place.n_repeats} repeats)"
