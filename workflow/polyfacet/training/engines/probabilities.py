"""Class probabilities, from the engines that predict them."""

import numpy as np
import pandas as pd

from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.base import Engine, EngineError, ProbabilisticEngine

# Predictions in batches of different sizes may differ by rounding in single precision.
EQUAL_WITHIN = 1e-4


def class_probabilities(engine: Engine, frame: pd.DataFrame) -> np.ndarray | None:
    """Return the class probabilities of each row; None if an engine has none, or predicts numbers.

    Raises
    ------
    EngineError
        If one is not finite.
    RuntimeError
        If they are not probabilities, which is a defect of the engine.
    """
    objective = engine.objective
    if not (objective.classes and isinstance(engine, ProbabilisticEngine) and engine.has_probabilities):
        return None
    probabilities = engine.predict_probabilities(frame)
    check_probabilities(probabilities, objective, len(frame))
    return probabilities


def check_probabilities(probabilities: np.ndarray, objective: Objective, n_rows: int) -> None:
    """Reject invalid class probabilities; raises as `class_probabilities` does."""
    expected = (n_rows, len(objective.classes))
    if probabilities.shape != expected:
        raise RuntimeError(f"its probabilities have the shape {probabilities.shape}, not {expected}")
    wrong = int((~np.isfinite(probabilities)).any(axis=1).sum())
    if wrong:
        raise EngineError(
            f"training diverged: {wrong} of {n_rows} rows have probabilities that are not finite"
        )
    if (probabilities < 0).any() or (probabilities > 1 + EQUAL_WITHIN).any():
        raise RuntimeError("its probabilities are not all between 0 and 1")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=EQUAL_WITHIN):
        raise RuntimeError("its probabilities do not add up to 1")
