"""What a bundle predicts, compared with what its run has stored for the same materials."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

# Of the spread of the objective, for materials that are not predicted together with the same others.
TOLERANCE = 1e-5
# A tree may jump at a threshold.
WITHIN_TOLERANCE = 0.999


def stored_of_model(cell: Path) -> pd.DataFrame:
    """Return the stored predictions that are those of the saved model of a cell, by mat_id.

    Those for validation rows are not, if the model is also trained on them.
    """
    rows = pd.read_parquet(cell / "predictions.parquet").set_index("mat_id")
    counts = json.loads((cell / "card.json").read_text())["counts"]
    trains_on_valid = counts["n_train"] > (rows["part"] == "train").sum()
    return rows[rows["part"] != "valid"] if trains_on_valid else rows


def assert_same_bits(predicted: pd.DataFrame, stored: pd.DataFrame) -> None:
    """Assert that predictions are equal bit for bit, with the probabilities of classes."""
    expected = _as_predicted(stored)
    found = predicted.set_index("mat_id").loc[expected.index, list(expected)]
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def assert_within_tolerance(
    predicted: pd.DataFrame, stored: pd.DataFrame, materials: Sequence[str] | None = None
) -> None:
    """Assert that predictions differ by hardly more than rounding, and those of classes in no label.

    Parameters
    ----------
    predicted
        Table of predictions.
    stored
        From `stored_of_model`; the spread of the objective is that of all its rows.
    materials
        The materials to compare; None for all that are stored.
    """
    expected = _as_predicted(stored).loc[stored.index if materials is None else list(materials)]
    found = predicted.set_index("mat_id").loc[expected.index, list(expected)]
    spread = stored["y_true"].std()
    if stored["true_class"].notna().any():
        assert (found.pop("prediction") == expected.pop("prediction")).mean() >= WITHIN_TOLERANCE
        # What remains are probabilities.
        spread = 1.0
    is_within = np.isclose(found, expected, rtol=0, atol=TOLERANCE * spread, equal_nan=True)
    assert is_within.all(axis=1).mean() >= WITHIN_TOLERANCE


def _as_predicted(stored: pd.DataFrame) -> pd.DataFrame:
    """Return stored predictions in the columns of a bundle's table."""
    if stored["true_class"].isna().all():
        return stored[["y_pred"]].set_axis(["prediction"], axis=1)
    labels = stored["predicted_class"].rename("prediction")
    if stored["probabilities"].isna().all():
        return labels.to_frame()
    probabilities = pd.DataFrame([dict(each) for each in stored["probabilities"]], stored.index)
    return pd.concat([labels, probabilities.add_prefix("probability_")], axis=1)
