"""The checks that an explanation must pass before it is shown.

- *skill*: the network is better than a constant.  What has learned nothing has nothing to explain.
- *completeness* (integrated gradients): contributions add up to the difference from the baseline.
- *deletion*: hiding units in the order of their contributions lowers predictions faster than random orders.
- *random weights* and *permuted values*: an explanation of what was learned changes if nothing was learned
  (Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018).

Intervals are over test materials; those of a formula are drawn together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyfacet.evaluation.bootstrap import Resamples, draw_formulas, interval
from polyfacet.evaluation.explanation.agreement import agreement, relative_magnitude
from polyfacet.evaluation.explanation.deletion import Falls
from polyfacet.training.engines.explaining import Array

SKILL, COMPLETENESS, DELETION = "skill", "completeness", "deletion"
WEIGHTS, VALUES = "random weights", "permuted values"
# Of the sum of the differences that contributions must add up to.
MOST_INCOMPLETE = 0.05
# Rank correlation with a control from which on an explanation counts as unchanged.  Of 16 units, the fewest
# of a picture, unrelated orders reach it in a fortieth of all cases (1.96 / sqrt(15) = 0.51); of more, less
# often.  The interval of the mean over materials must stay below.
MOST_AGREEMENT = 0.5
# A control whose contributions are smaller than this share of ours is flat, whatever their order.
FLAT = 0.1

Check = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Materials:
    """Test materials, and resamples of them.

    Attributes
    ----------
    formulas
        Formula of each.
    seed
        Seed of the resamples.
    """

    formulas: Sequence[str]
    seed: int

    def interval(self, values: Array, over: Array | None = None) -> tuple[float, float, float]:
        """Return the mean of values, or its ratio to that of others, with its interval.

        Materials with NaN are left out.
        """
        known = np.isfinite(values) if over is None else np.isfinite(values) & np.isfinite(over)
        if not known.any():
            return np.nan, np.nan, np.nan
        codes = np.unique(np.asarray(self.formulas)[known], return_inverse=True)[1]
        resamples = Resamples(draw_formulas(int(codes.max()) + 1, self.seed), codes)
        below = np.ones(int(known.sum())) if over is None else over[known]
        with np.errstate(invalid="ignore", divide="ignore"):
            value = values[known].mean() / below.mean()
            draws = resamples.mean(values[known]) / resamples.mean(below)
        low, high = interval(draws) if resamples.n_formulas > 1 else (np.nan, np.nan)
        return float(value), low, high


def skill(errors: Array, errors_of_constant: Array, materials: Materials) -> Check:
    """Check that errors are smaller than those of a constant, each of shape ``(materials,)``."""
    value, low, high = materials.interval(errors_of_constant - errors, errors_of_constant)
    return _check(SKILL, value, (low, high), 0.0, low > 0)


def completeness(contributions: Sequence[Array], differences: Array) -> Iterator[Check]:
    """Check what contributions add up to, for each objective.

    Parameters
    ----------
    contributions
        An array per material, shape ``(units, objectives)``.
    differences
        What they should add up to, shape ``(materials, objectives)``.
    """
    sums = np.stack([each.sum(axis=0) for each in contributions])
    missed, whole = (np.abs(each).sum(axis=0) for each in (sums - differences, differences))
    for value in np.divide(missed, whole, where=whole > 0, out=np.full_like(whole, np.nan)):
        passed = value < MOST_INCOMPLETE
        yield _check(COMPLETENESS, float(value), (np.nan, np.nan), MOST_INCOMPLETE, passed)


def deletion(falls: Falls, units: Array, materials: Materials) -> Iterator[Check]:
    """Check that predictions fall faster than by chance, for each objective, in its unit."""
    for areas, unit in zip(falls.areas.T, units, strict=True):
        value, low, high = materials.interval(areas * unit)
        yield _check(DELETION, value, (low, high), 0.0, low > 0)


def changed(
    check: str, ours: Sequence[Array], controls: Sequence[Sequence[Array]], materials: Materials
) -> Iterator[Check]:
    """Check that controls do not repeat contributions, or are flat, for each objective.

    Parameters
    ----------
    check
        Name of the check.
    ours
        An array per material, shape ``(units, objectives)``.
    controls
        The same of each control; the mean over them counts.  Without any, the check fails.
    materials
        The materials.
    """
    n_objectives = ours[0].shape[1]
    empty = np.full((1, len(ours), n_objectives), np.nan)
    agreements = np.stack([agreement(ours, each) for each in controls]) if controls else empty
    sizes = [relative_magnitude(ours, each) for each in controls] or [np.full(n_objectives, np.nan)]
    for values, magnitude in zip(agreements.mean(axis=0).T, np.mean(sizes, axis=0), strict=True):
        value, low, high = materials.interval(values)
        # Random weights are not flat: they have to disagree.
        is_flat = check == VALUES and magnitude < FLAT
        passed = high < MOST_AGREEMENT or is_flat
        yield _check(check, value, (low, high), MOST_AGREEMENT, passed, float(magnitude))


def _check(
    name: str,
    value: float,
    limits: tuple[float, float],
    limit: float,
    passed: bool | np.bool_,
    magnitude: float = np.nan,
) -> Check:
    low, high = limits
    return {
        "check": name,
        "value": value,
        "low": low,
        "high": high,
        "limit": limit,
        "magnitude": magnitude,
        # Comparisons with NaN are false: what could not be measured does not pass.
        "passed": bool(passed),
    }
