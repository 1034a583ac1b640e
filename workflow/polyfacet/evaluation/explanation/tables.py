"""The tables of the explanations of a foundation, of one facet after the other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.explanation.checks import (
    VALUES,
    WEIGHTS,
    Check,
    Materials,
    changed,
    completeness,
    deletion,
    skill,
)
from polyfacet.evaluation.explanation.deletion import SHARES, Falls, falls_of
from polyfacet.training.engines.explaining import Array, Attributions, Compared, Explained

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class FacetExplanation:
    """The explanation of a facet with its checks.

    Attributes
    ----------
    checks, importances, curves
        Rows of the tables, without those columns that are the same for all of them.
    attributions
        Contributions in the units of the objectives.
    names
        Names of the units of each material.
    """

    checks: pd.DataFrame
    importances: pd.DataFrame
    curves: pd.DataFrame
    attributions: Attributions
    names: Sequence[Sequence[str]]


def explanation_of(
    explained: Explained, compared: Compared, formulas: Sequence[str], seed: int
) -> FacetExplanation:
    """Explain a facet and check the explanation.

    Parameters
    ----------
    explained
        The foundation.
    compared
        The explainers of the facet.
    formulas
        Formula of each test row.
    seed
        Seed of random orders and of the bootstrap.
    """
    materials = Materials([formulas[row] for row in compared.rows], seed)
    found = compared.own.attributions()
    falls = falls_of(compared.own, found.units, seed)
    names = compared.own.names
    in_units = _scaled(found, explained.units)
    importances = _importances(in_units, names, compared.own.kind, materials)
    return FacetExplanation(
        _with_objectives(_checks(explained, compared, found, falls, materials), explained),
        _with_objectives(importances, explained),
        _with_objectives(_curves(falls, explained.units, materials), explained),
        in_units,
        names,
    )


def _checks(
    explained: Explained, compared: Compared, found: Attributions, falls: Falls, materials: Materials
) -> Iterator[Row]:
    """Yield the rows of all checks."""
    own, rows = compared.own, compared.rows
    pairs = zip(explained.errors[rows].T, explained.errors_of_constant[rows].T, strict=True)
    yield from _numbered(skill(*pair, materials) for pair in pairs)
    if own.is_complete:
        every, none = ([np.full(len(each), hides) for each in found.units] for hides in (True, False))
        yield from _numbered(completeness(found.units, own.outputs(none) - own.outputs(every)))
    yield from _numbered(deletion(falls, explained.units, materials))
    untrained = [each.attributions().units for each in compared.untrained]
    permuted = [] if compared.permuted is None else [compared.permuted.attributions().units]
    for name, controls in ((WEIGHTS, untrained), (VALUES, permuted)):
        yield from _numbered(changed(name, found.units, controls, materials))


def _numbered(checks: Iterator[Check]) -> Iterator[Row]:
    return ({**check, "objective": number} for number, check in enumerate(checks))


def _with_objectives(rows: Iterable[Row], explained: Explained) -> pd.DataFrame:
    """Replace numbers of objectives by their names."""
    named = ({**row, "objective": explained.objectives[row["objective"]]} for row in rows)
    return pd.DataFrame(named)


def _scaled(found: Attributions, units: Array) -> Attributions:
    return Attributions(
        [each * units for each in found.units],
        {name: (names, values * units) for name, (names, values) in found.beside.items()},
    )


def _importances(
    found: Attributions, names: Sequence[Sequence[str]], kind: str, materials: Materials
) -> Iterator[Row]:
    """Yield the importance of each property and statistic, or of the atoms of each element."""
    if kind == "properties":
        divisions: Mapping[str, tuple[Sequence[str], Array]] = {
            "property": (names[0], np.stack(found.units)),
            **found.beside,
        }
        for division, (units, values) in divisions.items():
            yield from _rows_of(division, units, values, np.abs(values), materials)
    if kind == "atoms":
        yield from _rows_of("element", *_by_element(found.units, names), materials)


def _rows_of(
    division: str, names: Sequence[str], values: Array, sizes: Array, materials: Materials
) -> Iterator[Row]:
    """Yield a row for each unit and objective; values have the shape ``(materials, units, objectives)``."""
    for unit, name in enumerate(names):
        has = np.isfinite(values[:, unit, 0])
        for objective in range(values.shape[2]):
            importance, low, high = materials.interval(sizes[:, unit, objective])
            yield {
                "division": division,
                "name": name,
                "objective": objective,
                "importance": importance,
                "low": low,
                "high": high,
                "contribution": float(values[has, unit, objective].mean()),
                "n_materials": int(has.sum()),
            }


def _by_element(
    contributions: Sequence[Array], names: Sequence[Sequence[str]]
) -> tuple[list[str], Array, Array]:
    """Average the atoms of each element in each material; NaN where it has none."""
    elements = sorted({name for each in names for name in each})
    shape = (len(names), len(elements), contributions[0].shape[1])
    means, sizes = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, (values, own) in enumerate(zip(contributions, names, strict=True)):
        for name in set(own):
            is_it = np.array(own) == name
            place = elements.index(name)
            means[row, place] = values[is_it].mean(axis=0)
            sizes[row, place] = np.abs(values[is_it]).mean(axis=0)
    return elements, means, sizes


def _curves(falls: Falls, units: Array, materials: Materials) -> Iterator[Row]:
    for order, by_share in (("explained", falls.explained), ("random", falls.by_chance)):
        for share, values in zip(SHARES, by_share, strict=True):
            for objective, unit in enumerate(units):
                fall, low, high = materials.interval(values[:, objective] * unit)
                limits = {"fall": fall, "low": low, "high": high}
                yield {"order": order, "hidden": share, "objective": objective, **limits}
