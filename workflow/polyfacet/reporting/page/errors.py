"""Where errors are large: by element, crystal system and size, and the worst predictions."""

import base64
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from PIL import Image

from polyfacet.evaluation.material_groups import CRYSTAL_SYSTEM, ELEMENT, EVERYTHING, SIZE
from polyfacet.reporting.page.parts import (
    Figure,
    Gallery,
    Heading,
    Paragraph,
    Part,
    Section,
    Table,
    Value,
    count,
    number,
    text,
)
from polyfacet.reporting.page.results import Place, Results
from polyfacet.reporting.plots.heatmaps import heatmap
from polyfacet.reporting.plots.periodic_table import periodic_table
from polyfacet.reporting.plots.style import FULL

LEAD = (
    "Description: mean absolute errors of the most often chosen cell, relative to its error over all test "
    "predictions (1.0). Groups of few materials say little; their numbers are in the tables."
)
# Elements and groups with fewer materials are left out of the figures, not of the tables.
MIN_MATERIALS = 3
GROUP_TITLES = {CRYSTAL_SYSTEM: "crystal system", SIZE: "size of the unit cell"}
# Relative error of the first and the last colour.
LIMITS = (0.0, 2.0)
SHOWN_OF_WORST = 5
THUMBNAIL_PX = 72


def error_groups(results: Results) -> Section:
    """Show errors by element, crystal system and size."""
    parts: list[Part] = []
    for place in results.places:
        parts += _groups(results, place)
    return Section(
        "errors",
        "Errors by element and structure",
        LEAD,
        parts or [Paragraph("Errors were not divided by groups.")],
    )


def _groups(results: Results, place: Place) -> Iterator[Part]:
    rows = _relative(results, place)
    if rows.empty:
        return
    labels = results.labels(place.source)
    elements = rows[rows["kind"] == ELEMENT]
    if figures := [
        _elements(results, place, objective, label, elements[elements["objective"] == objective])
        for objective, label in labels.items()
        if (elements["objective"] == objective).any()
    ]:
        yield Heading(f"{place.title}: by element")
        yield Gallery(figures)
    for kind, title in GROUP_TITLES.items():
        own = rows[rows["kind"] == kind]
        if len(own):
            yield _kind(place, kind, title, own, labels)
    yield _table(results, place, rows)


def _relative(results: Results, place: Place) -> pd.DataFrame:
    """Return the errors of the most often chosen cell of each objective, relative to its mean error."""
    errors = place.of(results["errors_by_group"])
    if errors.empty:
        return errors
    found = []
    for objective in results.labels(place.source):
        chosen = results.most_chosen(place, objective)
        own = errors[errors["objective"] == objective]
        if chosen is None:
            continue
        own = own[(own["method"] == chosen[0]) & (own["combination"] == chosen[1])]
        whole = own.loc[own["kind"] == EVERYTHING, "mae"].sum()
        found.append(own.assign(relative=own["mae"] / whole if whole else math.nan))
    return pd.concat(found, ignore_index=True) if found else errors[:0]


def _elements(results: Results, place: Place, objective: str, label: str, rows: pd.DataFrame) -> Figure:
    drawn = rows[(rows["n_materials"] >= MIN_MATERIALS) & rows["relative"].notna()]
    hover = {
        row[
            "group"
        ]: f"{row['group']}: {row['relative']:.2f} of the mean error, {row['n_materials']} materials"
        for _, row in drawn.iterrows()
    }
    first = rows.iloc[0]
    name = results.name(place, first["method"], first["combination"])
    return Figure(
        f"elements-{place.name}-{objective}",
        label,
        f"{place.title}, {name}: error of materials that contain an element, relative to that of all; "
        f"{len(drawn)} elements in at least {MIN_MATERIALS} test materials.",
        periodic_table(
            dict(zip(drawn["group"], drawn["relative"], strict=True)), hover, LIMITS, "relative error"
        ),
        ["errors_by_group"],
    )


def _kind(place: Place, kind: str, title: str, rows: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    drawn = rows[rows["n_materials"] >= MIN_MATERIALS]
    shown = [name for name in labels if name in set(drawn["objective"])]
    order = list(dict.fromkeys(drawn["group"]))
    table = drawn.pivot(index="group", columns="objective", values="relative")
    values = table.reindex(index=order, columns=shown).astype(float)
    values = values.set_axis([labels[name] for name in shown], axis="columns")
    counts = drawn.groupby("group")["n_materials"].max()
    values.index = pd.Index([f"{group} ({counts[group]} materials)" for group in order])
    return Figure(
        f"errors-{place.name}-{kind.replace('_', '-')}",
        f"By {title}",
        f"{place.title}: error of the most often chosen cell in each group, relative to its error over all "
        f"test predictions; groups with at least {MIN_MATERIALS} test materials.",
        heatmap(values, LIMITS, "relative error", FULL),
        ["errors_by_group"],
    )


def _table(results: Results, place: Place, rows: pd.DataFrame) -> Table:
    return Table(
        f"errors-{place.name}-table",
        f"{place.title}: errors of the most often chosen cells by group. Predictions are counted over the "
        "repeats. MAE of classes: share of wrong predictions.",
        [
            "objective",
            "groups by",
            "group",
            "materials",
            "predictions",
            "MAE",
            "relative",
            "mean true value",
            "bias",
        ],
        [
            [
                text(results.with_unit(place.source, row["objective"])),
                text(GROUP_TITLES.get(row["kind"], row["kind"])),
                text(row["group"]),
                count(row["n_materials"]),
                count(row["n"]),
                number(row["mae"], ".3g"),
                number(row["relative"], ".2f"),
                number(row["mean_true"], ".3g"),
                number(row["bias"], "+.3g"),
            ]
            for _, row in rows.iterrows()
        ],
        ["errors_by_group"],
    )


def worst_predictions(results: Results, pictures: Mapping[str, Path]) -> Section:
    """List the worst predictions of the best cells.

    Parameters
    ----------
    results
        The evaluation.
    pictures
        Crystal to its picture; empty without pictures.
    """
    parts: list[Part] = []
    for place in results.places:
        worst = place.of(results["worst"])
        if len(worst):
            parts.append(_worst(results, place, worst, pictures))
    return Section(
        "worst",
        "Worst predictions",
        f"Description: the {SHOWN_OF_WORST} largest errors of each objective over the repeats, of the cell "
        "that was best on validation rows. More are in the CSV.",
        parts or [Paragraph("There are no predictions of a chosen cell.")],
    )


def _worst(results: Results, place: Place, worst: pd.DataFrame, pictures: Mapping[str, Path]) -> Table:
    labels = results.labels(place.source)
    order = worst["error"].abs().sort_values(ascending=False).index
    shown = worst.loc[order].groupby("objective", sort=False).head(SHOWN_OF_WORST)
    places = list(labels)
    shown = shown.sort_values("objective", key=lambda names: names.map(places.index), kind="stable")
    has_pictures = any(mat_id in pictures for mat_id in shown["mat_id"])
    head = ["objective", "formula", "material", "true", "predicted", "error", "method and facets", "repeat"]
    rows = [
        [
            *([_thumbnail(pictures.get(row["mat_id"]), row["formula"])] if has_pictures else []),
            text(results.with_unit(place.source, row["objective"])),
            text(row["formula"]),
            text(row["mat_id"]),
            number(row["y_true"], ".4g"),
            number(row["y_pred"], ".4g"),
            number(row["error"], "+.3g"),
            text(results.name(place, row["method"], row["combination"])),
            count(row["repeat"]),
        ]
        for _, row in shown.iterrows()
    ]
    return Table(
        f"worst-{place.name}",
        f"{place.title}: {len(shown)} of the {len(worst)} worst predictions.",
        [*(["picture"] if has_pictures else []), *head],
        rows,
        ["worst"],
    )


def _thumbnail(path: Path | None, formula: str) -> Value:
    if path is None or not path.is_file():
        return Value("no picture", formula.lower())
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
    return Value(f"structure of {formula}", formula.lower(), png_address(small))


def png_address(picture: Image.Image) -> str:
    """Return a picture as an address that holds its bytes; its 128 colours make it small."""
    buffer = io.BytesIO()
    picture.quantize(128).save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
