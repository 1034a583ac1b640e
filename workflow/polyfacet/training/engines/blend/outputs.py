"""Predictions as outputs that can be averaged: numbers, or the probability of each class."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.base import Engine
from polyfacet.training.engines.probabilities import class_probabilities

Array = NDArray[np.float64]


def as_outputs(predicted: np.ndarray, probabilities: np.ndarray | None, objective: Objective) -> Array:
    """Return outputs of shape (rows, 1) for numbers and (rows, classes) for classes.

    Parameters
    ----------
    predicted
        Numbers, or names of classes, shape (rows,).
    probabilities
        Class probabilities, shape (rows, classes); None counts the predicted class as a vote, 1 or 0.
    objective
        What is predicted.
    """
    if not objective.classes:
        return np.asarray(predicted, dtype=np.float64)[:, None]
    if probabilities is not None:
        return np.asarray(probabilities, dtype=np.float64)
    classes = np.array(objective.classes, dtype=object)
    return np.asarray(np.asarray(predicted)[:, None] == classes, dtype=np.float64)


def outputs_of(engine: Engine, frame: pd.DataFrame) -> Array:
    """Return the outputs of a fitted engine for rows."""
    probabilities = class_probabilities(engine, frame)
    predicted = engine.predict(frame) if probabilities is None else np.empty(0)
    return as_outputs(predicted, probabilities, engine.objective)


def average(outputs: Array, weights: Array) -> Array:
    """Return the weighted sum of outputs, shape (rows, outputs).

    Parameters
    ----------
    outputs
        Shape (parts, rows, outputs).
    weights
        They add up to 1, shape (parts,), or (parts, rows) if each row has its own.
    """
    total = np.zeros(outputs.shape[1:])
    # One after the other: sums of NumPy may add in another order for a single row.
    for output, weight in zip(outputs, weights, strict=True):
        total += output * (weight if weights.ndim == 1 else weight[:, None])
    return total
