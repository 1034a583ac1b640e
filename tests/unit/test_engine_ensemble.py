"""Engines that answer together."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

from polyfacet.facets.registry import FACETS, GRAPH, TEXT, all_combinations
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.engines.registry import check_combinations, complete_settings, needs_statistics

ALL = tuple(FACETS.all().values())
TABULAR = (GRAPH,)
TREE = {"engine": "classical", "settings": {"model": "tree"}}
EXPANDED = {"engine": "classical", "settings": {"features": "expanded"}}
RIDGE = {"engine": "classical", "settings": {"model": "ridge"}}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return synthetic_cells(240)


def fitted(frame: pd.DataFrame, folder: Path, name: str, settings, objective=STRENGTH):
    engine = create(name, settings, Resources(seed=1))
    engine.fit(frame[:140], frame[140:180], TABULAR, objective)
    engine.save(folder)
    return engine


def test_the_answer_is_the_weighted_mean_of_the_members(frame: pd.DataFrame, tmp_path: Path) -> None:
    settings = {"members": [TREE, {**RIDGE, "weight": 3}]}
    together = fitted(frame, tmp_path / "together", "ensemble", settings)
    tree, ridge = (
        fitted(frame, tmp_path / "alone", "classical", each["settings"]).predict(frame)
        for each in (TREE, RIDGE)
    )
    np.testing.assert_allclose(together.predict(frame), 0.25 * tree + 0.75 * ridge)
    files = {str(path.relative_to(tmp_path / "together")) for path in (tmp_path / "together").rglob("*.json")}
    own = {"engine.json", "answers.json"}
    assert files == {"engine.json"} | {f"member_{i}/{name}" for i in (0, 1) for name in own}


def test_classes_are_those_of_the_highest_mean_probability(frame: pd.DataFrame, tmp_path: Path) -> None:
    mcvn = {"engine": "mcvn", "settings": {"max_epochs": 2}}
    engine = fitted(frame, tmp_path / "model", "ensemble", {"members": [TREE, mcvn]}, PHASE)
    parts = [
        fitted(frame, tmp_path / "alone", each["engine"], each["settings"], PHASE).predict_probabilities(
            frame
        )
        for each in (TREE, mcvn)
    ]
    expected = np.mean(parts, axis=0)
    np.testing.assert_allclose(engine.predict_probabilities(frame), expected)
    names = np.array(PHASE.classes, dtype=object)[expected.argmax(axis=1)]
    np.testing.assert_array_equal(engine.predict(frame), names)


def test_the_default_members_are_better_than_boosted_trees_alone(frame: pd.DataFrame, tmp_path: Path) -> None:
    test = frame[180:]
    errors = {
        name: 1 - r2_score(test["strength"], fitted(frame, tmp_path / name, name, settings).predict(test))
        for name, settings in (("ensemble", {}), ("classical", {"model": "xgboost"}))
    }
    assert errors["ensemble"] < errors["classical"]


def test_settings_of_members_are_described_with_their_defaults(tmp_path: Path) -> None:
    described = create("ensemble", {"members": [TREE]}, Resources(1)).describe()
    settings = {
        "model": "tree",
        "statistic": "mean",
        "features": "original",
        "pca_variance": 0.99,
        "hyperparameters": {},
    }
    assert described == {"members": [{"engine": "classical", "weight": 1.0, "settings": settings}]}


@pytest.mark.parametrize(("members", "expected"), [([TREE], True), ([TREE, RIDGE], False)])
def test_votes_of_a_member_are_no_probabilities(frame, tmp_path, members, expected: bool) -> None:
    engine = fitted(frame, tmp_path / "model", "ensemble", {"members": members}, PHASE)
    assert engine.has_probabilities is expected


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([{"engine": "classicall"}], "no engine 'classicall'"),
        ([{"engine": "classical", "settings": {"model": "oak"}}], "settings of engine 'classical'"),
        ([{"engine": "dummy", "settings": {"statistic": "mean"}}], "'dummy' has no probabilities"),
        ([{"engine": "automm"}], "'automm' starts from encoders"),
        ([], "members"),
        ([{**TREE, "weight": 0}], "weight"),
    ],
)
def test_invalid_members_raise_user_error(members, message: str) -> None:
    with pytest.raises(UserError, match=message):
        create("ensemble", {"members": members}, Resources(1))


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (
            {"engine": "clasical"},
            r"settings.members.0 names an unknown engine 'clasical'; available: attention, automm",
        ),
        (
            {"engine": "classical", "settings": {"modl": "ridge"}},
            r"(.|\n)*members:\n +- settings: {model: ridge}",
        ),
        ({"engine": "automm"}, "settings.members.0: the engine 'automm' starts from encoders"),
        ({"engine": "dummy", "settings": {"statistic": "mean"}}, "the engine 'dummy' has no probabilities"),
    ],
)
def test_members_are_checked_while_a_run_is_planned(member, message: str) -> None:
    with pytest.raises(UserError, match=message):
        complete_settings("ensemble", {"members": [member]}, ["methods", "both", "settings"])


def test_an_engine_says_which_combinations_it_cannot_look_at() -> None:
    for name in ("automm", "classical", "ensemble"):
        check_combinations(name, all_combinations(ALL), ALL)
    check_combinations("mcvn", ["graph", "compimage", "graph+compimage"], ALL)
    with pytest.raises(UserError, match=r"mcvn(.|\n)*text, text\+graph(.|\n)*combinations: \[graph"):
        check_combinations("mcvn", ["text", "graph", "text+graph"], (TEXT, GRAPH))


@pytest.mark.parametrize(
    ("engine", "settings", "expected"),
    [
        ("classical", TREE["settings"], False),
        ("classical", {"model": "tree", "features": "expanded_pca"}, True),
        ("ensemble", {"members": None}, False),
        ("ensemble", {"members": [TREE, {"engine": "mcvn"}]}, False),
        (
            "ensemble",
            {"members": [TREE, EXPANDED]},
            True,
        ),
    ],
)
def test_statistics_are_needed_where_a_member_looks_at_them(engine, settings, expected: bool) -> None:
    assert needs_statistics(engine, settings) is expected
