"""Which epoch of a training is kept: how its predictions compare with always answering the median."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from polyfacet.facets.graph.target_scale import TargetScale

# So many known values must differ from the median before a property decides.
ENOUGH_VALUES = 5
# Being worse than this many medians counts as this.
WORST = 2.0


@dataclass(frozen=True, eq=False)
class EpochChoice:
    """Judges predictions of the materials that choose the epoch.

    Let ``e(t)`` be the mean absolute error of property t over the materials where it is known, ``m(t)`` the
    error that the median of the training materials makes on the same materials, both of scaled values (see
    `TargetScale`).  The error of an epoch is the mean of ``min(e(t) / m(t), 2)`` over the properties that
    decide.

    - The ratio makes properties comparable: 1 is as good as no network at all, whatever the spread of a
      property happens to be in a few validation materials.
    - The limit keeps a property that the network cannot learn, and on which its errors jump from epoch to
      epoch, from outweighing the others.
    - A property decides if at least 5 known values differ from the median: of fewer, the ratio is chance.  If
      none has as many, all that have one decide.
    - A prediction that is not finite makes the error infinite, even where the true value is unknown.

    Parameters
    ----------
    truth
        Values that predictions are compared with, in the units of the properties, shape
        ``(materials, properties)``; NaN where one is unknown.
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
        """Find out which properties decide; none does if nothing known differs from the medians."""
        scaled = scale.normalise(truth).numpy()
        telling = np.sum(np.nan_to_num(scaled) != 0, axis=0)
        enough = telling >= ENOUGH_VALUES
        return cls(truth, scale, enough if enough.any() else telling > 0)

    def error(self, predicted: NDArray[np.float64]) -> float:
        """Error of scaled predictions of shape ``(materials, properties)``; infinite if one is not finite."""
        if not np.isfinite(predicted).all():
            return float("inf")
        ratios = self._ratios(predicted)[self.decides]
        return float(np.mean(np.minimum(ratios, WORST)))

    def report(self, predicted: NDArray[np.float64], names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Say of each property how well it is predicted, in numbers that JSON can hold.

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
        """Error of each property over that of the median; NaN where that is 0 or nothing is known."""
        truth = self.scale.normalise(self.truth).double().numpy()
        known = np.isfinite(truth)
        wrong, wrong_of_median = (
            np.where(known, np.abs(answers - truth), 0.0).sum(axis=0) for answers in (predicted, 0.0)
        )
        return np.divide(wrong, wrong_of_median, out=np.full(len(wrong), np.nan), where=wrong_of_median > 0)
