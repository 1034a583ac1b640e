"""Explanations of predictions: what passes all checks, and why the rest is not shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from polyfacet.evaluation.explanation.checks import (
    COMPLETENESS,
    DELETION,
    FLAT,
    MOST_AGREEMENT,
    MOST_INCOMPLETE,
    SKILL,
    VALUES,
    WEIGHTS,
)
from polyfacet.evaluation.explanation.schema import (
    CHECKS,
    CHECKS_FILE,
    CURVES,
    CURVES_FILE,
    IMPORTANCES,
    IMPORTANCES_FILE,
    MAPS_FOLDER,
)
from polyfacet.facets.compimage.properties import PROPERTIES
from polyfacet.facets.registry import facet_named, facets_of
from polyfacet.reporting.naming import repeats_text
from polyfacet.reporting.page.errors import png_address
from polyfacet.reporting.page.parts import (
    Figure,
    Gallery,
    Heading,
    Items,
    Paragraph,
    Part,
    Section,
    Table,
    Value,
    count,
    interval,
    number,
    text,
)
from polyfacet.reporting.page.results import Results
from polyfacet.reporting.plots.explanations import deletion_curves, importance_bars
from polyfacet.runtime.parquet import read_table
from polyfacet.training.cells import NO_FACET

LEAD = (
    "What the predictions of a network rest on: properties of elements in composition images (integrated "
    "gradients), regions of structure pictures (Grad-CAM), atoms of crystal graphs (gradient times input). "
    "Only explanations that pass every check are shown. They describe the network, not the physics."
)
EXPLAINED = ["source", "split", "method"]
ONE = ["facet", "objective"]
REASONS = {
    SKILL: "the network is not clearly better than a constant",
    COMPLETENESS: "contributions do not add up to the difference from the baseline",
    DELETION: "hiding in the order of the contributions is not clearly faster than in random orders",
    WEIGHTS: "it does not clearly differ from the explanations of networks with random weights",
    VALUES: "it does not clearly differ from the explanation of a network trained on permuted values",
}
CAPTION = (
    "Checks of the explanations, on test materials. skill: share of the error of a constant prediction that "
    "the network saves; its interval must be above 0. completeness: share by which contributions miss their "
    f"sum, below {MOST_INCOMPLETE:.0%}. deletion: area between the deletion curves of the contributions and "
    "of random orders, in the unit of the objective; its interval must be above 0. random weights, permuted "
    "values: rank correlation with the explanations of networks with random weights, and of one trained on "
    f"permuted values; the interval must be below {MOST_AGREEMENT}, or the contributions of the latter below "
    f"{FLAT:.0%} of ours. In brackets: 95 % intervals (bootstrap of formulas)."
)
MEANINGS = {prop.name: prop.meaning for prop in PROPERTIES}
# Bars of a figure and rows of a table.
N_BARS, N_ROWS = 12, 20


@dataclass(frozen=True, eq=False)
class Found:
    """Tables of the explanations of all foundations, and their folders."""

    checks: pd.DataFrame
    importances: pd.DataFrame
    curves: pd.DataFrame
    folders: Sequence[Path]

    @classmethod
    def read(cls, folders: Sequence[Path]) -> "Found":
        """Read them."""
        tables = {CHECKS_FILE: CHECKS, IMPORTANCES_FILE: IMPORTANCES, CURVES_FILE: CURVES}
        checks, importances, curves = (
            pd.concat([read_table(folder / name, schema) for folder in folders], ignore_index=True)
            for name, schema in tables.items()
        )
        return cls(checks, importances, curves, folders)

    def only(self, own: Mapping[str, Any]) -> "Found":
        """Select rows by the values of some columns."""
        checks, importances, curves = (
            _only(each, own) for each in (self.checks, self.importances, self.curves)
        )
        return Found(checks, importances, curves, self.folders)


def explanations(folders: Sequence[Path], results: Results) -> list[Section]:
    """Return the section, or nothing if no explanation was asked for.

    Parameters
    ----------
    folders
        Folders with the tables of `polyfacet.evaluation.explanation.schema`, one per foundation.
    results
        The evaluation.
    """
    if not folders:
        return []
    found = Found.read(folders)
    parts: list[Part] = []
    for values in found.checks[EXPLAINED].drop_duplicates().itertuples(index=False):
        place = dict(zip(EXPLAINED, values, strict=True))
        parts += _of_method(found.only(place), place, results)
    nothing = "No foundation that could be explained was trained."
    return [Section("explanations", "Explanations", LEAD, parts or [Paragraph(nothing)])]


def _only(table: pd.DataFrame, own: Mapping[str, Any]) -> pd.DataFrame:
    chosen = pd.Series(True, table.index)
    for column, value in own.items():
        chosen &= table[column] == value
    return table[chosen]


def _of_method(found: Found, place: Mapping[str, Any], results: Results) -> Iterator[Part]:
    """Yield what is shown of a method on a split."""
    source, split, method = (place[name] for name in EXPLAINED)
    repeats = repeats_text(found.checks["repeat"].nunique())
    yield Heading(f"{source}, split {split} ({repeats}), method {method}")
    shown = found.checks.groupby(ONE, sort=False)["passed"].all()
    yield _table_of_checks(found.checks, shown, f"explanations-{source}-{split}-{method}", results)
    if hidden := list(shown.index[~shown]):
        yield Paragraph("Not shown:")
        yield Items([_why_hidden(found.checks, facet, objective, results) for facet, objective in hidden])
    if others := _not_explained(found, place, results):
        yield Paragraph(f"Not explained, as the network reads no picture or graph of them: {others}.")
    for facet, objective in shown.index[shown]:
        own = found.only({"facet": facet, "objective": objective})
        yield from _shown(own, place, facet, objective, results)


def _table_of_checks(checks: pd.DataFrame, shown: pd.Series, name: str, results: Results) -> Table:
    """Return the table of all checks, means over the repeats."""
    names = list(dict.fromkeys(checks["check"]))
    rows: list[list[Value]] = []
    for facet, objective in shown.index:
        own = _only(checks, {"facet": facet, "objective": objective})
        label = results.with_unit(own["source"].iloc[0], objective)
        values = [_value(own[own["check"] == each]) for each in names]
        said = "shown" if shown[facet, objective] else "not shown"
        rows.append(
            [
                text(facet_named(facet).label),
                text(label),
                *values,
                count(own["n_materials"].mean()),
                text(said),
            ]
        )
    return Table(name, CAPTION, ["facet", "objective", *names, "test materials", "explanation"], rows)


def _value(own: pd.DataFrame) -> Value:
    """Return what a check has measured, and whether it passes."""
    if own.empty:
        return Value("", "")
    mean, low, high = (own[name].mean() for name in ("value", "low", "high"))
    said = number(mean, ".2g")
    limits = "" if pd.isna(low) else f" [{low:.2g}, {high:.2g}]"
    return Value(f"{said.text}{limits} {'passes' if own['passed'].all() else 'FAILS'}", said.sort)


def _why_hidden(checks: pd.DataFrame, facet: str, objective: str, results: Results) -> str:
    own = _only(checks, {"facet": facet, "objective": objective})
    failed = list(dict.fromkeys(own.loc[~own["passed"], "check"]))
    label = results.labels(own["source"].iloc[0])[objective]
    return f"{_label(own)}, {label}: {'; '.join(REASONS[check] for check in failed)}"


def _label(checks: pd.DataFrame) -> str:
    """Name what is explained: the network reads crystal graphs, not their embedding."""
    row = checks.iloc[0]
    return "crystal graph" if row["kind"] == "atoms" else facet_named(row["facet"]).label


def _not_explained(found: Found, place: Mapping[str, Any], results: Results) -> str:
    """Name the facets of the method without explanation."""
    cells = _only(results.cells, place)
    names = dict.fromkeys(name for name in cells["combination"] if name != NO_FACET)
    facets = dict.fromkeys(facet for name in names for facet in facets_of(name))
    explained = set(found.checks["facet"])
    return ", ".join(facet.label for facet in facets if facet.name not in explained)


def _shown(
    own: Found, place: Mapping[str, Any], facet: str, objective: str, results: Results
) -> Iterator[Part]:
    """Yield the explanation of a facet for an objective."""
    source = str(place["source"])
    what = f"{_label(own.checks)}, {results.labels(source)[objective]}"
    name = "-".join(["explanation", *map(str, place.values()), facet, objective])
    unit = results.units(source)[objective]
    in_unit = f" ({unit})" if unit else ""
    curves = own.curves.groupby(["order", "hidden"], as_index=False)[["fall", "low", "high"]].mean()
    yield Heading(what, 4)
    figures = [
        Figure(
            f"{name}-deletion",
            f"Deletion: {what}",
            "Mean fall of the predictions if what raises them most is hidden first, and in random orders.",
            deletion_curves(curves, f"fall{in_unit}"),
        )
    ]
    means = own.importances.groupby(["division", "name"], as_index=False, sort=False)[
        ["importance", "low", "high", "contribution", "n_materials"]
    ].mean()
    most = means.sort_values("importance", ascending=False, kind="stable")
    for division in dict.fromkeys(means["division"]):
        of_division = most[most["division"] == division]
        if division != "statistic":
            caption = f"Mean absolute contribution; the {N_BARS} largest that have an interval."
            bars = of_division.dropna(subset=["low"])[:N_BARS]
            drawn = importance_bars(bars, bars["name"].tolist(), f"importance{in_unit}")
            figures.append(Figure(f"{name}-{division}", f"Importance: {what}", caption, drawn))
    yield Gallery(figures)
    for division in dict.fromkeys(means["division"]):
        yield _table_of_importances(f"{name}-{division}s", most[most["division"] == division], in_unit)
    yield from _maps(own, f"{facet} {objective} ", name)


def _table_of_importances(name: str, rows: pd.DataFrame, in_unit: str) -> Table:
    division = rows["division"].iloc[0]
    caption = (
        f"Contributions by {division}{in_unit}: mean absolute ones with their intervals, and the mean, above "
        f"0 if it raises predictions. The {N_ROWS} largest of {len(rows)}; all are in {IMPORTANCES_FILE}."
    )
    if division == "element":
        caption += " They are means over the atoms of an element in each material that has it."
    head = [division, "importance", "95 % interval", "mean contribution", "materials", "meaning"]
    cells = [
        [
            text(row["name"]),
            number(row["importance"]),
            interval(row["low"], row["high"], ".3g"),
            number(row["contribution"], "+.3g"),
            count(row["n_materials"]),
            text(MEANINGS.get(row["name"], "")),
        ]
        for row in rows[:N_ROWS].to_dict("records")
    ]
    n_columns = len(head) if division == "property" else len(head) - 1
    return Table(name, caption, head[:n_columns], [row[:n_columns] for row in cells])


def _maps(own: Found, begin: str, name: str) -> Iterator[Table]:
    """Yield the maps of some materials over their pictures, side by side."""
    paths = [path for folder in own.folders for path in sorted((folder / MAPS_FOLDER).glob(f"{begin}*.png"))]
    if not paths:
        return
    mat_ids = [path.stem.removeprefix(begin) for path in paths]
    cells = []
    for mat_id, path in zip(mat_ids, paths, strict=True):
        with Image.open(path) as image:
            cells.append(Value(f"regions of {mat_id}", mat_id, png_address(image.convert("RGB"))))
    caption = "Orange regions raise the prediction, blue ones lower it (Grad-CAM)."
    yield Table(f"{name}-maps", caption, mat_ids, [cells])
