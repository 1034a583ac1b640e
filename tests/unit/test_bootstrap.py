"""Resampled scores: equal to the scores of the drawn rows, and clustered by formula."""

import numpy as np
import pandas as pd
import pytest

from polyfacet.evaluation import bootstrap
from polyfacet.evaluation.bootstrap import Resamples, draw_formulas, interval
from polyfacet.evaluation.formulas import formulas_of
from polyfacet.evaluation.intervals import resampled_scores
from polyfacet.evaluation.metrics import scores_of_classes, scores_of_numbers

CLASSES = ["a", "b", "c"]
N_DRAWS = 20
# Formula of each row; the source has two more.
FORMULAS = np.array([0, 0, 1, 2, 2, 2, 4, 5])
DRAWN = draw_formulas(7, seed=3, n_draws=N_DRAWS)


def drawn_rows(draw):
    """Return the rows of a draw, each as often as its formula was drawn."""
    return np.repeat(np.arange(len(FORMULAS)), DRAWN[draw, FORMULAS])


def cell(classes):
    return {"classes": classes}


def table(true, predicted):
    return pd.DataFrame(
        {"y_true": true, "y_pred": predicted, "true_class": true, "predicted_class": predicted}
    )


@pytest.mark.parametrize("block", [4_000_000, 24])
def test_scores_of_numbers_are_those_of_the_drawn_rows(block, monkeypatch):
    monkeypatch.setattr(bootstrap, "_BLOCK", block)
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=8), rng.normal(size=(2, 8))
    found = resampled_scores(
        [cell([])] * 2, [table(true, own) for own in predicted], Resamples(DRAWN, FORMULAS)
    )
    for draw in range(N_DRAWS):
        rows = drawn_rows(draw)
        for own, scores in zip(predicted, found, strict=True):
            expected = scores_of_numbers(true[rows], own[rows])
            for metric in ("mae", "mase"):
                assert scores[metric][draw] == pytest.approx(expected[metric], nan_ok=True)


def test_scores_of_classes_are_those_of_the_drawn_rows():
    rng = np.random.default_rng(1)
    true, predicted = rng.choice(CLASSES, 8), rng.choice(CLASSES, (2, 8))
    tables = [table(true, own) for own in predicted]
    found = resampled_scores([cell(CLASSES)] * 2, tables, Resamples(DRAWN, FORMULAS))
    for draw in range(N_DRAWS):
        rows = drawn_rows(draw)
        for own, scores in zip(predicted, found, strict=True):
            expected = scores_of_classes(true[rows], own[rows], CLASSES)["all"]
            for metric in ("accuracy", "macro_f1"):
                assert scores[metric][draw] == pytest.approx(expected[metric])


def test_each_draw_has_as_many_formulas_as_the_source():
    assert DRAWN.shape == (N_DRAWS, 7)
    assert (DRAWN.sum(axis=1) == 7).all()
    assert (draw_formulas(7, 3, N_DRAWS) == DRAWN).all()
    assert (draw_formulas(7, 4, N_DRAWS) != DRAWN).any()


def test_errors_shared_by_a_formula_widen_the_interval():
    rng = np.random.default_rng(2)
    formulas = np.repeat(np.arange(30), 10)
    errors = rng.normal(size=30)[formulas]
    clustered = Resamples(draw_formulas(30, 0), formulas).mean(errors)
    one_by_one = Resamples(draw_formulas(300, 0), np.arange(300)).mean(errors)
    assert clustered.std() > 2.5 * one_by_one.std()


def test_intervals_have_about_the_standard_error_of_a_mean():
    values = np.random.default_rng(3).normal(size=400)
    low, high = interval(Resamples(draw_formulas(400, 0), np.arange(400)).mean(values))
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert low < values.mean() < high


def test_there_is_no_interval_of_one_formula_and_of_equal_values():
    one = resampled_scores([cell([])], [table([1.0, 2.0], [1.0, 1.0])], Resamples(DRAWN, np.array([3, 3])))
    assert np.isnan(interval(one[0]["mae"])).all()
    equal = resampled_scores([cell([])], [table([1.0, 1.0], [1.0, 2.0])], Resamples(DRAWN, np.array([3, 4])))
    assert np.isnan(interval(equal[0]["mase"])).all()
    assert np.isfinite(interval(equal[0]["mae"])).all()


def test_materials_of_one_composition_have_one_formula():
    sample = pd.DataFrame({"mat_id": list("abcd"), "formula": ["Fe2O3", "NaCl", "Fe0.4O0.6", "NaCl"]})
    found = formulas_of(sample, rounded=True)
    assert found.numbers.tolist() == [0, 1, 0, 1]
    assert (list(found.materials), found.n_formulas) == (list("abcd"), 2)
    crystals = sample.assign(formula=["Fe2O3", "NaCl", "KCl", "NaCl"], n_sites=[10, 2, 2, 8])
    assert formulas_of(crystals, rounded=False).numbers.tolist() == [0, 1, 2, 1]
