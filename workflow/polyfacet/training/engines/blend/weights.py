"""Weights of the parts of a blend, from their predictions for validation rows.

Fitted weights are not negative, add up to 1, and minimize the mean absolute error of numbers or the Brier
score of class probabilities, plus a penalty ``c / rows * sum(weights ** 2)`` in units of the error of the
best part; c is ``SHRINKAGE`` for the Brier score and half of it for absolute errors, which are fitted as
squares over their size.  As weights add up to 1, the penalty is least for equal ones: with few rows,
weights shrink towards these.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from polyfacet.training.engines.blend.outputs import Array
from polyfacet.training.powers_of_two import divided, exponents_of

# Measured on alexandria_1d with 21 parts: less fits the validation rows too closely if there are 40 of them,
# more costs accuracy if there are 130.
SHRINKAGE = 10.0
# Absolute errors are fitted by reweighted squares; below this share of the best part's error, squares remain.
SQUARED_BELOW = 0.05
MAX_STEPS, CONVERGED = 30, 1e-4
# Of the set of parts with a weight, per part, in one least-squares fit.
MAX_CHANGES = 30
# A part with a larger error, relative to the best one, gets no weight: with numbers of very different size,
# least squares may not converge.
MAX_RELATIVE_ERROR = 100.0
# A smaller weight changes nothing, but its model would have to predict.
LEAST_WEIGHT = 1e-3


def blend_weights(
    outputs: Array, truth: Array, alternatives: Sequence[str] | None = None, *, fitted: bool
) -> Array:
    """Return weights that are not negative and add up to 1, shape (parts,).

    Parameters
    ----------
    outputs
        Predictions for validation rows: numbers, shape (parts, rows, 1), or class probabilities, shape
        (parts, rows, classes).
    truth
        True numbers or classes (1 for the true one, else 0), shape (rows, 1 or classes).
    alternatives
        Name of each part; of several with one name, only the best gets a weight.  None chooses among none.
    fitted
        Whether weights are fitted; otherwise the chosen parts have equal ones.  Without rows, all parts have.
    """
    n_parts, n_rows = outputs.shape[:2]
    if n_rows == 0:
        return np.full(n_parts, 1 / n_parts)
    errors = _errors(outputs, truth)
    losses = _losses(errors)
    chosen = np.arange(n_parts) if alternatives is None else _best(losses, alternatives)
    if fitted:
        chosen = chosen[losses[chosen] <= MAX_RELATIVE_ERROR * losses[chosen].min()]
    weights = np.zeros(n_parts)
    weights[chosen] = _fitted(errors[chosen], losses[chosen]) if fitted else 1 / len(chosen)
    return weights


def _errors(outputs: Array, truth: Array) -> Array:
    """Return the errors, in a unit in which squares of the largest ones are finite."""
    exponent = max(int(exponents_of(values.ravel())) for values in (outputs, truth)) + 1
    return divided(outputs, exponent) - divided(truth, exponent)


def _losses(errors: Array) -> Array:
    """Return the mean absolute error of numbers, or the root of the mean Brier score, shape (parts,)."""
    if errors.shape[2] == 1:
        return np.asarray(np.abs(errors).mean(axis=(1, 2)))
    return np.asarray(np.sqrt((errors**2).sum(axis=2).mean(axis=1)))


def _best(losses: Array, alternatives: Sequence[str]) -> np.ndarray:
    """Return the index of the best part of each name."""
    named = np.array(alternatives)
    return np.array(
        [min(np.flatnonzero(named == name), key=losses.__getitem__) for name in dict.fromkeys(alternatives)]
    )


def _fitted(errors: Array, losses: Array) -> Array:
    """Fit the weights of parts with the given errors, shape (parts, rows, outputs)."""
    n_parts, n_rows, n_outputs = errors.shape
    if losses.min() == 0:
        return (losses == 0) / np.sum(losses == 0)
    design = errors.reshape(n_parts, n_rows * n_outputs).T / losses.min()
    weights = np.full(n_parts, 1 / n_parts)
    for _ in range(MAX_STEPS if n_outputs == 1 else 1):
        factors = np.ones(len(design))
        if n_outputs == 1:
            factors = 1 / np.maximum(np.abs(design @ weights), SQUARED_BELOW)
        before = weights
        weights = _least_squares(design * np.sqrt(factors / n_rows)[:, None], SHRINKAGE / n_rows)
        if np.abs(weights - before).max() < CONVERGED:
            break
    weights[weights < LEAST_WEIGHT] = 0
    return np.asarray(weights / weights.sum())


def _least_squares(design: Array, penalty: float) -> Array:
    """Minimize ``|design @ w|^2 + penalty * |w|^2`` over weights that are not negative and add up to 1.

    The objective is homogeneous in the weights, so that a further squared term ``(sum(w) - 1)^2`` only scales
    its minimum, and dividing by the sum undoes that.
    """
    n_parts = design.shape[1]
    rows = np.vstack([design, np.sqrt(penalty) * np.eye(n_parts), np.ones((1, n_parts))])
    weights, _ = nnls(rows, np.append(np.zeros(len(rows) - 1), 1.0), maxiter=MAX_CHANGES * n_parts)
    return np.asarray(weights / weights.sum())
