"""Folds of validation rows, by groups."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

N_FOLDS = 5


def folds_of_groups(groups: Sequence[str], seed: int) -> NDArray[np.int64]:
    """Return the fold of each row, shape (rows,); rows of a group are in one fold.

    There are `N_FOLDS` folds, or one per group if there are fewer groups.
    """
    folds = np.zeros(len(groups), dtype=np.int64)
    n_folds = min(N_FOLDS, len(set(groups)))
    if n_folds < 2:
        return folds
    divided = GroupKFold(n_folds, shuffle=True, random_state=seed)
    for number, (_, fold) in enumerate(divided.split(folds, groups=groups)):
        folds[fold] = number
    return folds
