"""Which values of an objective are known; the declaration of objectives imports no pandas."""

import numpy as np
import pandas as pd

from polyfacet.materials.objectives import Objective


def is_known(values: pd.Series, objective: Objective) -> pd.Series:
    """Return for each row whether it has a class or a finite number."""
    if objective.classes:
        return values.notna()
    return pd.Series(np.isfinite(values.to_numpy(np.float64, na_value=np.nan)), index=values.index)
