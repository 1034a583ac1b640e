"""The materials with the highest values of an objective, as a test of extrapolation."""

import numpy as np
import pandas as pd

from polyfacet.runtime.errors import UserError


def highest(materials: pd.DataFrame, objective: str, fraction: float) -> dict[str, bool]:
    """Return whether each material with a value is among the highest.

    Parameters
    ----------
    materials
        ``mat_id`` and the objective.
    objective
        Column of numbers; materials without a finite value are left out.
    fraction
        Share of the materials with a value.  All materials with the lowest of these values are taken.

    Raises
    ------
    UserError
        If no material has a value, or all of them would be taken.
    """
    values = materials.set_index("mat_id")[objective].astype(float)
    known = values[np.isfinite(values)].sort_values(ascending=False)
    if known.empty:
        raise UserError(f"no material has a value of {objective}. Choose another `objective`.")
    lowest = known.iloc[max(1, round(fraction * len(known))) - 1]
    if lowest == known.iloc[-1]:
        raise UserError(
            f"the {len(known)} values of {objective} are too similar to hold out the highest: all materials "
            "would be in the test part. Choose another `objective` or a larger `train_fraction`."
        )
    return dict(known >= lowest)
