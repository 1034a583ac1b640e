"""The sections of a report, one per prediction target, with their scores and rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from polyfacet.evaluation.score_names import ALL
from polyfacet.reporting.naming import CONTROL, untrained_controls
from polyfacet.training.cells import NO_FACET


@dataclass(frozen=True)
class Section:
    """One prediction target and its scores, the decisive one first.

    Attributes
    ----------
    source, objective
        The target; the objective ``all`` is the mean over the objectives of the source.
    label
        Name of the objective in tables and figures.
    name
        One class, or ``all``.
    metrics
        Scores.
    controls
        Methods and combinations that see a facet through an untrained encoder.
    """

    source: str
    objective: str
    label: str
    name: str
    metrics: tuple[str, ...]
    controls: frozenset[tuple[str, str]]

    @property
    def title(self) -> str:
        """Heading."""
        return f"{self.source}: {self.label}" + ("" if self.name == ALL else f", {self.name}")

    def rows(self, comparison: pd.DataFrame, metric: str) -> pd.DataFrame:
        """Select a metric's rows of a comparison (or of single scores), with their names in ``row``."""
        own = comparison[
            (comparison["source"] == self.source)
            & (comparison["objective"] == self.objective)
            & (comparison["class"] == self.name)
            & (comparison["metric"] == metric)
        ]
        names = _row_names(comparison[comparison["source"] == self.source], own, self.controls)
        return own.assign(row=names)


def _row_names(
    comparison: pd.DataFrame, rows: pd.DataFrame, controls: Collection[tuple[str, str]]
) -> list[str]:
    """Name rows by method, and by combination as well if the method has several."""
    n_combinations = comparison.groupby("method")["combination"].nunique()
    return [
        (method if n_combinations[method] == 1 or combination == NO_FACET else f"{method}: {combination}")
        + (f" ({CONTROL})" if (method, combination) in controls else "")
        for method, combination in zip(rows["method"], rows["combination"], strict=True)
    ]


def sections(cells: pd.DataFrame, comparison: pd.DataFrame) -> list[Section]:
    """List the sections in the order of first occurrence, the mean over a source's objectives first.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    comparison
        See `polyfacet.evaluation.means.compare`.
    """
    labels = dict(zip(zip(cells["source"], cells["objective"], strict=True), cells["label"], strict=True))
    found = []
    keys = comparison[["source", "objective", "class"]].drop_duplicates()
    for source, objective, name in keys.itertuples(index=False):
        own = comparison[(comparison["source"] == source) & (comparison["objective"] == objective)]
        if name != ALL:
            metrics: tuple[str, ...] = ("f1", "precision", "recall")
        elif "macro_f1" in set(own["metric"]):
            metrics = ("macro_f1", "accuracy")
        else:
            metrics = ("r2", "mase") if objective == ALL else ("r2", "mase", "mae")
        label = "all objectives" if objective == ALL else labels[source, objective]
        controls = frozenset(untrained_controls(cells[cells["source"] == source]))
        found.append(Section(source, objective, label, name, metrics, controls))
    sources = list(dict.fromkeys(section.source for section in found))
    return sorted(found, key=lambda section: (sources.index(section.source), section.objective != ALL))


def overall(found: Sequence[Section]) -> list[Section]:
    """Select the decisive section of each source: the mean over objectives or classes."""
    first = {section.source: section for section in reversed(found) if section.name == ALL}
    return [first[source] for source in dict.fromkeys(section.source for section in found)]
