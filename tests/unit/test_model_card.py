"""The model card of a bundle says of intervals what its predictions have."""

import pandas as pd
import pytest
from grid_cells import card_fields
from made_up_bundle import write_made_up_bundle

from polyfacet.reporting.model_card import model_card
from polyfacet.training.bundles.description import read_description
from polyfacet.training.cards import Card

HOLD = "of new predictions hold their level"
NONE = "Predictions have no intervals or sets of classes"


@pytest.mark.parametrize(
    ("n", "calibrated", "has_intervals"), [(8, True, False), (30, True, True), (30, False, False)]
)
@pytest.mark.parametrize("classes", [(), ("a", "b")], ids=["numbers", "classes"])
def test_the_card_speaks_of_intervals_only_where_there_are_some(
    tmp_path, n, calibrated, has_intervals, classes
):
    write_made_up_bundle(tmp_path)
    bundle = read_description(tmp_path)
    objective = bundle.objective.model_copy(update={"classes": classes})
    bundle = bundle.model_copy(update={"calibrated": calibrated, "objective": objective})
    rows = pd.DataFrame({"y_true": range(n), "y_pred": range(n)}, dtype=float)
    names = [("a", "b")[i % 2] for i in range(n)]
    rows = rows.assign(true_class=names, predicted_class=names, probabilities=[{"a": 0.5, "b": 0.5}] * n)
    text = model_card(bundle, Card(**card_fields()), rows)
    assert (HOLD in text, NONE in text) == (has_intervals, not has_intervals)
    if has_intervals:
        assert f"{'Sets of classes' if classes else 'Intervals'} {HOLD}" in text
