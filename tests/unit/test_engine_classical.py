"""Classical models: each learns, on each feature set, and says clearly where it cannot."""

import typing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score
from synthetic_cells import N_FEATURES, PHASE, STRENGTH, synthetic_cells
from xgboost import XGBRegressor
from xgboost.core import XGBoostError

from polyfacet.evaluation.metrics import scores_of_classes
from polyfacet.facets.registry import GRAPH, IMAGE, TEXT, facets_of
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.classical.engine import Classical
from polyfacet.training.engines.classical.settings import MEDIAN_MODELS, ClassicalSettings, Model
from polyfacet.training.engines.creation import create, load

MODELS = typing.get_args(Model)
SMALL = {"forest": 20, "extra_trees": 20, "xgboost": 20}
TABULAR = (GRAPH,)


class Foreign(BaseEstimator):
    """A type that no model has."""


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return synthetic_cells(240)


@pytest.fixture
def fit(frame: pd.DataFrame, tmp_path: Path):
    def run(objective=STRENGTH, rows=frame, seed=1, **settings) -> Classical:
        name = settings.get("model", "forest")
        options = {"n_estimators": SMALL[name]} if name in SMALL else {}
        engine = create("classical", {"hyperparameters": options, **settings}, Resources(seed))
        engine.fit(rows[:140], rows[140:180], TABULAR, objective)
        engine.save(tmp_path / "model")
        return engine

    return run


@pytest.mark.parametrize("features", ["original", "expanded", "expanded_pca"])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_learns_numbers_and_classes_from_every_feature_set(
    fit, frame: pd.DataFrame, model: str, features: str
) -> None:
    test = frame[180:]
    predicted = fit(model=model, features=features).predict(test)
    assert predicted.dtype == np.float64
    assert r2_score(test["strength"], predicted) > 0.15
    engine = fit(PHASE, model=model, features=features)
    predicted = engine.predict(test)
    assert scores_of_classes(test["phase"], predicted, PHASE.classes)["all"]["macro_f1"] > 0.4
    probabilities = engine.predict_probabilities(test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    agreement = np.mean(np.array(PHASE.classes, dtype=object)[probabilities.argmax(axis=1)] == predicted)
    assert agreement == 1


@pytest.mark.parametrize(
    ("model", "hyperparameters", "expected"),
    [
        ("forest", {}, True),
        ("xgboost", {}, True),
        ("svm", {}, False),
        ("ridge", {}, False),
        ("sgd", {}, False),
        ("sgd", {"loss": "log_loss"}, True),
    ],
)
def test_it_says_whether_a_model_has_probabilities_or_votes(fit, model, hyperparameters, expected) -> None:
    assert fit(PHASE, model=model, hyperparameters=hyperparameters).has_probabilities is expected


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_predictions(fit, frame: pd.DataFrame, model: str) -> None:
    first, second = (fit(model=model).predict(frame) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_it_is_the_library_s_model_on_all_rows_that_are_not_tested_on(fit, frame: pd.DataFrame) -> None:
    features = np.stack(frame["graph"])
    oracle = RandomForestRegressor(20, random_state=1).fit(features[:180], frame["strength"][:180])
    np.testing.assert_allclose(fit().predict(frame), oracle.predict(features))


@pytest.mark.parametrize("model", MEDIAN_MODELS)
def test_the_median_has_the_smaller_absolute_error_where_values_are_skewed(
    fit, frame: pd.DataFrame, model: str
) -> None:
    noise = np.random.default_rng(0).lognormal(0, 1.5, len(frame))
    skewed = frame.assign(strength=frame["strength"] + frame["strength"].std() * noise)
    errors = {}
    for statistic in ("mean", "median"):
        predicted = fit(rows=skewed, model=model, statistic=statistic).predict(skewed[180:])
        errors[statistic] = np.abs(predicted - skewed["strength"][180:]).mean()
    assert errors["median"] < 0.95 * errors["mean"]


@pytest.mark.parametrize("model", MEDIAN_MODELS)
@pytest.mark.parametrize("objective", [STRENGTH, PHASE])
def test_a_saved_model_of_the_median_predicts_the_same(
    fit, frame: pd.DataFrame, model: str, objective, tmp_path: Path
) -> None:
    engine = fit(objective, model=model, statistic="median")
    np.testing.assert_array_equal(load(tmp_path / "model").predict(frame), engine.predict(frame))


@pytest.mark.parametrize("model", ["ridge", "svm", "sgd"])
@pytest.mark.parametrize("objective", [STRENGTH, PHASE])
def test_a_feature_that_varies_by_noise_alone_does_not_decide_about_new_rows(
    fit, frame: pd.DataFrame, model: str, objective
) -> None:
    """The ratio of two lattice lengths is 1.0000000x in cubic crystals, and something else in new ones."""
    noise = 1 + 1e-8 * np.random.default_rng(0).normal(size=len(frame))
    noisy, other = (
        frame.assign(graph=[np.append(row, ratio) for row, ratio in zip(frame["graph"], ratios, strict=True)])
        for ratios in (noise, noise + 0.5)
    )
    engine = fit(objective, rows=noisy, model=model)
    np.testing.assert_array_equal(engine.predict(other), engine.predict(noisy))


def test_a_linear_model_extrapolates_by_no_more_than_the_range_of_the_training_rows(fit, frame) -> None:
    engine = fit(model="ridge")
    near, far = (
        frame.assign(graph=[np.append(row[:-1], value) for row in frame["graph"]])
        for value in (3 * np.abs(np.stack(frame["graph"])[:, -1]).max(), 1e9)
    )
    np.testing.assert_array_equal(engine.predict(near), engine.predict(far))


def test_only_models_with_a_median_can_predict_it() -> None:
    with pytest.raises(UserError, match=r"ridge predicts no median; forest, extra_trees, xgboost do"):
        create("classical", {"model": "ridge", "statistic": "median"}, Resources(1))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("unit", [1e-300, 1e-170, 1e-7, 1e-15, 1e12])
def test_the_unit_of_the_objective_does_not_matter(fit, frame: pd.DataFrame, model: str, unit: float) -> None:
    """Conductivities and diffusivities are as small; trees stop where a split gains little."""
    in_unit = frame.assign(strength=unit * frame["strength"])
    predicted = fit(rows=in_unit, model=model).predict(frame) / unit
    difference = np.mean(np.abs(predicted - fit(model=model).predict(frame)))
    assert difference < 0.03 * frame["strength"].std()


def test_answers_beyond_single_precision_are_learned(fit, frame: pd.DataFrame) -> None:
    large = frame.assign(strength=1e90 * frame["strength"])
    assert np.isfinite(fit(rows=large, model="xgboost").predict(frame)).all()


def test_what_xgboost_says_of_the_data_fails_the_cell(fit, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise XGBoostError("Check failed: valid: Label contains NaN, infinity or a value too large.")

    monkeypatch.setattr(XGBRegressor, "fit", refuse)
    with pytest.raises(EngineError, match=r"xgboost cannot be fitted.*too large"):
        fit(model="xgboost")


def test_missing_numbers_are_filled_from_the_training_rows(fit, frame: pd.DataFrame) -> None:
    holed = frame.assign(
        graph=[np.where(np.arange(N_FEATURES) == i % 9, np.nan, x) for i, x in enumerate(frame["graph"])]
    )
    for model in MODELS:
        assert np.isfinite(fit(rows=holed, model=model).predict(holed)).all()
    engine = fit(rows=holed, model="svm")
    medians = engine._fitted.pipeline[0].statistics_
    np.testing.assert_array_equal(medians, np.nanmedian(np.stack(holed["graph"][:180]), axis=0))


def test_a_class_that_is_not_in_the_training_rows_has_no_probability(fit, frame: pd.DataFrame) -> None:
    known = frame[frame["phase"] != "BMG"]
    for model in MODELS:
        engine = fit(PHASE, rows=known, model=model)
        assert (engine.predict_probabilities(frame)[:, 0] == 0).all()
        assert set(engine.predict(frame)) == {"RMG", "CRA"}


def test_pixels_of_composition_images_are_features(tmp_path: Path) -> None:
    frame = synthetic_cells(60, tmp_path)
    facets = facets_of("graph+compimage")
    engine = Classical(ClassicalSettings(model="extra_trees"), Resources(1))
    engine.fit(frame[:40], frame[40:50], facets, STRENGTH)
    assert engine._fitted.pipeline[-1].n_features_in_ == N_FEATURES + 24 * 21
    assert engine.predict(frame).shape == (60,)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("objective", [STRENGTH, PHASE], ids=["numbers", "classes"])
def test_a_saved_model_predicts_the_same(fit, frame: pd.DataFrame, tmp_path: Path, model, objective) -> None:
    engine = fit(objective, model=model, features="expanded_pca")
    moved = (tmp_path / "model").rename(tmp_path / "elsewhere")
    loaded = load(moved)
    np.testing.assert_array_equal(loaded.predict(frame), engine.predict(frame))
    assert loaded.describe() == engine.describe()


def test_a_file_of_other_types_is_not_loaded(fit, tmp_path: Path) -> None:
    fit(model="ridge")
    skops.io.dump(Foreign(), tmp_path / "model" / "pipeline.skops")
    with pytest.raises(UserError, match="Foreign.*which no cell's model contains"):
        load(tmp_path / "model")


def test_expanded_features_need_the_statistics(fit, frame: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="no column composition_statistics.*original"):
        fit(rows=frame.drop(columns="composition_statistics"), features="expanded")


def test_a_hyperparameter_that_the_model_does_not_know_is_an_error_that_names_it(fit) -> None:
    with pytest.raises(UserError, match="forest.*n_tree"):
        fit(hyperparameters={"n_tree": 3})


@pytest.mark.parametrize(
    ("model", "hyperparameters"),
    [("forest", {"n_estimators": "many"}), ("svm", {"C": -1}), ("xgboost", {"max_depth": "deep"})],
)
def test_an_invalid_hyperparameter_value_raises_user_error(fit, model: str, hyperparameters) -> None:
    with pytest.raises(UserError, match=f"{model}.*{next(iter(hyperparameters))}"):
        fit(model=model, hyperparameters=hyperparameters)


def test_an_error_that_the_data_do_not_explain_is_raised_as_it_is(fit) -> None:
    """It fails the job: a failed card would pass it off as a result."""
    with pytest.raises(ValueError, match="max_sample"):
        fit(model="forest", hyperparameters={"bootstrap": False, "max_samples": 0.5})


def test_diverging_training_raises_engine_error(fit, frame: pd.DataFrame) -> None:
    with pytest.raises(EngineError, match=r"sgd.*(?s:overflow)"):
        fit(model="sgd", hyperparameters={"eta0": 1e300, "learning_rate": "constant"})


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("model", ["forest", "ridge", "xgboost"])
def test_numbers_that_are_too_large_are_named_in_training_and_prediction(
    fit, frame: pd.DataFrame, value: float, model: str
) -> None:
    wrong = frame.copy()
    wrong.at[3, "graph"] = frame.at[3, "graph"] * value
    with pytest.raises(EngineError, match="alloy-003"):
        fit(model=model, rows=wrong)
    with pytest.raises(EngineError, match="alloy-003"):
        fit(model=model).predict(wrong)


def test_one_class_is_nothing_to_learn(fit, frame: pd.DataFrame) -> None:
    with pytest.raises(EngineError, match="same phase, 'RMG'"):
        fit(PHASE, rows=frame.assign(phase="RMG"))


@pytest.mark.parametrize("facets", [(TEXT,), (IMAGE, GRAPH), ()])
def test_facets_that_are_no_numbers_are_refused(frame: pd.DataFrame, tmp_path: Path, facets) -> None:
    engine = Classical(ClassicalSettings(), Resources(1))
    with pytest.raises(UserError, match="classical cannot use"):
        engine.fit(frame, frame, facets, STRENGTH)
