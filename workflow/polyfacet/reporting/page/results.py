"""The tables of a run's evaluation, and what the page looks up in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from polyfacet.evaluation.tables import CELLS, COUNTS
from polyfacet.evaluation.verdicts import COMPARISONS, paired
from polyfacet.reporting.naming import DAGGER, facets_text, pretrained_mark, row_name, with_repeats
from polyfacet.reporting.row_counts import scored_rows
from polyfacet.runtime.parquet import iterate_table, n_rows, read_table
from polyfacet.splits.methods import SPLIT_METHODS
from polyfacet.splits.parts import TEST
from polyfacet.training.cells import NO_FACET, PREDICTIONS

# Too large to be read at once; read row by row where needed.
PREDICTED = "predictions"
ANY, BASELINE = "any", "baseline"
NONTRIVIAL = "Non-trivial test values differ from the most frequent one."


@dataclass(frozen=True)
class Place:
    """A source on a split."""

    source: str
    split: str
    n_repeats: int
    # Of the method of the split; empty if the name of the split says it.
    label: str

    @property
    def title(self) -> str:
        """Name in headings and captions."""
        repeats = "one repeat" if self.n_repeats == 1 else f"{self.n_repeats} repeats"
        how = f", {self.label}" if self.label else ""
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
        self._test_rows: dict[Place, pd.DataFrame] = {}
        self._test_rows_of: dict[Place, dict[Any, pd.DataFrame]] = {}
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
            Place(
                str(source),
                str(split),
                own.nunique(),
                _label_beside(str(split), str(method), labels.get(str(method), str(method))),
            )
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

    @cached_property
    def _repeats(self) -> dict[tuple[str, str], dict[str, int]]:
        """Source and split to the number of repeats of each method."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        once = self.cells[["source", "split", "method", "n_repeats"]].drop_duplicates()
        for source, split, method, n in once.itertuples(index=False):
            found.setdefault((source, split), {})[method] = int(n)
        return found

    def repeats_of(self, place: Place) -> dict[str, int]:
        """Return the number of repeats of each method."""
        return self._repeats[place.source, place.split]

    def lacking_objectives(self, place: Place) -> dict[str, list[str]]:
        """Return the objectives that a method lacks and others have, for each method that lacks some."""
        own = self.cells[self.cells["source"] == place.source]
        # On a split by the values of one objective, methods without this objective have no cell at all.
        methods = dict.fromkeys(own["method"])
        here = place.of(own).groupby("method")["objective"].agg(set)
        trained = {method: here.get(method, set()) for method in methods}
        every = set().union(*trained.values())
        names = self.labels(place.source)
        return {
            str(method): [name for name in names if name in every - own]
            for method, own in trained.items()
            if own < every
        }

    def flagged(self, place: Place) -> set[tuple[str, str, str]]:
        """Return method, combination and objective of the cells whose facets reveal the objective."""
        own = place.of(self.cells)
        own = own[own["contains_answer"]]
        return set(zip(own["method"], own["combination"], own["objective"], strict=True))

    def marks_of_choices(self, place: Place, objective: str, role: str) -> str:
        """Return the daggers of the cells that were chosen for a role in any repeat.

        They mark facets that reveal the objective, and networks that were pretrained on it.
        """
        choices = place.of(self["choices"])
        if choices.empty:
            return ""
        own = choices[(choices["objective"] == objective) & (choices["role"] == role)]
        keys = own[["method", "combination", "objective"]].itertuples(index=False, name=None)
        dagger = "" if self.flagged(place).isdisjoint(keys) else DAGGER
        pretrained = {pretrained_mark(combination, objective) for combination in own["combination"]}
        return dagger + max(pretrained, default="")

    @cached_property
    def _untrained(self) -> dict[tuple[str, str, str, str], set[str]]:
        """Source, split, method and combination to the facets that it sees through an untrained encoder."""
        found: dict[tuple[str, str, str, str], set[str]] = {}
        columns = ["source", "split", "method", "combination", "untrained"]
        for source, split, method, combination, names in self.cells[columns].itertuples(index=False):
            if len(names):
                found.setdefault((source, split, method, combination), set()).update(names)
        return found

    def controls(self, place: Place) -> dict[tuple[str, str], set[str]]:
        """Return the facets that a method and combination sees through an untrained encoder, if any."""
        return {
            (method, combination): names
            for (source, split, method, combination), names in self._untrained.items()
            if (source, split) == (place.source, place.split)
        }

    def method(self, place: Place, method: str) -> str:
        """Name a method; with its number of repeats if it has fewer than the split."""
        return with_repeats(method, self.repeats_of(place)[method], place.n_repeats)

    def facets(self, place: Place, method: str, combination: str) -> str:
        """Name the facets of cells; those with an untrained encoder are called controls."""
        untrained = self._untrained.get((place.source, place.split, method, combination), ())
        return facets_text(combination, untrained)

    def name(self, place: Place, method: str, combination: str) -> str:
        """Name cells by method and facets, with all marks."""
        return row_name(self.method(place, method), self.facets(place, method, combination))

    def test_rows(self, place: Place) -> pd.DataFrame:
        """Return ``n_test`` and ``n_nontrivial`` of each scored cell; see `row_counts.scored_rows`."""
        if place not in self._test_rows:
            self._test_rows[place] = scored_rows(self["scores"], place.source, place.split)
        return self._test_rows[place]

    def test_rows_of(self, place: Place, objective: str, method: str, combination: str) -> pd.DataFrame:
        """Return those of an objective, method and combination, one row per repeat."""
        every = self.test_rows(place)
        if place not in self._test_rows_of:
            groups = every.groupby(["objective", "method", "combination"], sort=False)
            self._test_rows_of[place] = dict(iter(groups))
        return self._test_rows_of[place].get((objective, method, combination), every[:0])

    def tested_rows(self, place: Place, objective: str, comparison: str) -> pd.DataFrame:
        """Return ``n_test`` and ``n_nontrivial`` of the repeats that a comparison is tested on."""
        choices = place.of(self["choices"])
        own = choices[choices["objective"] == objective]
        first, second = (own[own["role"] == role] for role in COMPARISONS[comparison])
        return paired(first, second)[COUNTS]

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


def _label_beside(split: str, method: str, label: str) -> str:
    """Return the label of a split method, unless the name of the split already says it."""
    plain = method.replace("_", " ")
    return "" if split == method and plain in label.lower().replace("-", " ") else label
