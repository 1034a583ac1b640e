"""The choice of the epoch that is kept: prediction errors relative to those of the median."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from polyfacet.networks.target_scale import TargetScale

# A property decides only if at least this many known values differ from the median.
ENOUGH_VALUES = 5
# Larger ratios of an error to that of the median are limited to this.
WORST = 2.0


@dataclass(frozen=True, eq=False)
class EpochChoice:
    """Compares epochs by their predictions for the materials that choose the epoch.

    Let ``e(t)`` be the mean absolute error of property t over the materials for which it is known, and
    ``m(t)`` the error of the training median on the same materials, both in scaled values (see
    `TargetScale`).  The error of an epoch is the mean of ``min(e(t) / m(t), 2)`` over the properties that
    decide.

    - The ratio makes properties comparable: 1 is no better than the median, whatever the spread of a property
      happens to be in a few validation materials.
    - The limit keeps a property that the network cannot learn, with errors that jump from epoch to epoch,
      from outweighing the others.
    - A property decides if at least 5 known values differ from the median: with fewer, the ratio is due to
      chance.  If no property has 5, all properties with at least one such value decide.
    - A prediction that is not finite makes the error infinite, even where the true value is unknown.

    Parameters
    ----------
    truth
        True values, in the units of the properties, shape ``(materials, properties)``; NaN where unknown.
    scale
        Scale of the training materials.
    decides
        Whether a property decides, shape ``(properties,)``.
    """

    truth: NDArray[np.float64]
    scale: TargetScale
    decides: NDArray[np.bool_]

    @classmethod
    def among(cls, truth: NDArray[np.float64], scale: TargetScale) -> Self:
        """Determine which properties decide; none does if all known values equal the medians."""
        scaled = scale.normalise(truth).numpy()
        telling = np.sum(np.nan_to_num(scaled) != 0, axis=0)
        enough = telling >= ENOUGH_VALUES
        return cls(truth, scale, enough if enough.any() else telling > 0)

    def error(self, predicted: NDArray[np.float64]) -> float:
        """Return the error of scaled predictions; infinite unless all are finite.

        Parameters
        ----------
        predicted
            Scaled predictions, shape ``(materials, properties)``.
        """
        if not np.isfinite(predicted).all():
            return float("inf")
        ratios = self._ratios(predicted)[self.decides]
        return float(np.mean(np.minimum(ratios, WORST)))

    def report(self, predicted: NDArray[np.float64], names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Report how well each learnable property is predicted, as values that JSON can represent.

        Parameters
        ----------
        predicted
            Scaled predictions, finite, shape ``(materials, properties)``.
        names
            Names of the properties.

        Returns
        -------
        dict
            Name to ``known`` (number of materials), ``mae`` (in the unit of the property, None if nothing is
            known), ``over_median`` (``e(t) / m(t)``, None if the median makes no error) and ``decides``.
        """
        wrong = np.abs(self.scale.restore(predicted) - self.truth)
        known = np.isfinite(wrong)
        ratios = self._ratios(predicted)
        return {
            name: {
                "known": int(known[:, t].sum()),
                "mae": float(wrong[known[:, t], t].mean()) if known[:, t].any() else None,
                "over_median": float(ratios[t]) if np.isfinite(ratios[t]) else None,
                "decides": bool(self.decides[t]),
            }
            for t, name in enumerate(names)
            if self.scale.learnable[t]
        }

    def _ratios(self, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each property's error over that of the median; NaN if that is 0 or no value is known."""
        truth = self.scale.normalise(self.truth).double().numpy()
        known = np.isfinite(truth)
        wrong, wrong_of_median = (
            np.where(known, np.abs(answers - truth), 0.0).sum(axis=0) for answers in (predicted, 0.0)
        )
        return np.divide(wrong, wrong_of_median, out=np.full(len(wrong), np.nan), where=wrong_of_median > 0)
