"""Errors of a network and of a constant prediction: a network that has learned nothing explains nothing."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import one_hot

from polyfacet.facets.declaration import Facet
from polyfacet.training.engines.joint.foundation import Foundation, probabilities_of
from polyfacet.training.engines.joint.losses import UNKNOWN
from polyfacet.training.engines.joint.objectives import values_of
from polyfacet.training.engines.numeric_facets import Array


def errors_of(
    foundation: Foundation, rows: pd.DataFrame, background: pd.DataFrame, facets: Sequence[Facet]
) -> tuple[Array, Array]:
    """Return the errors of the network and of a constant, each of shape ``(rows, objectives)``.

    Numbers are compared on the network's scale; their constant is the median of the training rows.  Classes
    have the Brier score; their constant is the frequency of each class.  NaN where the value is unknown.
    """
    learned = foundation.objectives
    outputs = foundation.outputs(rows, facets)
    true = learned.scale.normalise(values_of(rows, learned.numbers)).double().numpy()
    own = [np.abs(outputs.numbers.double().numpy() - true)]
    constant = [np.abs(true)]
    of_rows, of_training = (learned.indices_of_classes(each) for each in (rows, background))
    for number, logits in enumerate(outputs.classes):
        known = of_training[:, number][of_training[:, number] != UNKNOWN]
        frequencies = torch.bincount(known, minlength=logits.shape[1]).double().numpy()
        shares = frequencies / max(1, frequencies.sum())
        own.append(_brier(probabilities_of(logits), of_rows[:, number]))
        constant.append(_brier(np.broadcast_to(shares, logits.shape), of_rows[:, number]))
    return np.hstack(own), np.hstack(constant)


def _brier(probabilities: Array, true: torch.Tensor) -> Array:
    """Return the squared distance from certainty of the true class, shape ``(rows, 1)``."""
    certain = one_hot(true.clamp(min=0), probabilities.shape[1]).numpy()
    found = ((probabilities - certain) ** 2).sum(axis=1)
    return np.where(true.numpy() == UNKNOWN, np.nan, found)[:, None]
