"""Blends in a run on a table: results, bundles and reruns."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from bundled_predictions import assert_same_bits, stored_of_model
from planned_runs import TABLE_RUN, Reruns, planned_run
from workflow_copy import Workflow, copy_workflow

from polyfacet.use.prediction.bundle import Bundle

COMBINATIONS = ["composition", "process", "composition+process"]
MEMBERS = {
    name: {"engine": "classical", "settings": {"model": name}, "combinations": COMBINATIONS}
    for name in ("ridge", "tree")
}
RUN = {
    **TABLE_RUN,
    "run_name": "blends",
    "splits": {"random": {"train_fraction": 0.7, "repeats": 2}},
    "methods": {
        **MEMBERS,
        "average": {
            "engine": "blend",
            "settings": {"members": list(MEMBERS), "of": "facets", "weights": "equal"},
        },
        "stack": {"engine": "blend", "settings": {"members": list(MEMBERS)}},
        "first": {"engine": "blend", "settings": {"members": ["ridge"]}, "repeats": 1},
    },
    "report": {"reference": "ridge"},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow with a finished run and its bundles."""
    workflow = copy_workflow(tmp_path_factory.mktemp("blends"))
    (workflow.folder / "blends.yaml").write_text(yaml.safe_dump(RUN))
    code, output = workflow.typed("--cores", "2", "--configfile", "blends.yaml", "--", "all", "bundles")
    assert code == 0, output[-5000:]
    return workflow


@pytest.fixture(scope="module")
def results(run: Workflow) -> Path:
    return run.folder / "results" / "blends"


def test_blends_have_cells_like_other_methods(results: Path) -> None:
    cells = pd.read_parquet(results / "evaluation" / "cells.parquet")
    assert (cells["status"] == "ok").all()
    found = cells[cells["engine"] == "blend"].groupby(["method", "repeat"])["combination"].unique()
    assert {key: set(names) for key, names in found.items()} == {
        key: set(COMBINATIONS)
        for key in (("average", 0), ("average", 1), ("stack", 0), ("stack", 1), ("first", 0))
    }
    tested = cells.groupby(["repeat", "objective"])["tested"].nunique()
    assert (tested == 1).all()


def test_predictions_are_the_weighted_average_of_those_of_the_members(results: Path) -> None:
    cells = results / "steels" / "random-0" / "cells"
    home = cells / "stack" / "composition+process" / "hardness"
    card = json.loads((home / "card.json").read_text())
    assert {(each["method"], each["combination"]) for each in card["blended"]} == {
        (name, combination) for name in MEMBERS for combination in COMBINATIONS
    }
    expected = 0.0
    for each in card["blended"]:
        own = cells / each["method"] / each["combination"] / "hardness" / "predictions.parquet"
        expected = expected + each["weight"] * pd.read_parquet(own).set_index("mat_id")["y_pred"]
    found = pd.read_parquet(home / "predictions.parquet").set_index("mat_id")
    test = found["part"] == "test"
    np.testing.assert_allclose(found.loc[test, "y_pred"], expected[found.index[test]])


@pytest.mark.parametrize("objective", ["hardness", "grade"])
@pytest.mark.parametrize("method", ["average", "stack", "first"])
def test_bundles_of_blends_predict_what_the_run_has_predicted(
    run: Workflow, results: Path, method: str, objective: str
) -> None:
    split, cell = results / "steels" / "random-0", f"{method}/composition+process/{objective}"
    bundle = Bundle.open(split / "bundles" / cell)
    predicted = bundle.predict(str(run.folder / "embedded" / "invented_steels.csv")).predictions
    # Rows are called after the file here, after the table in the run; both are numbered.
    predicted["mat_id"] = predicted["mat_id"].str.replace("invented_steels", "steels")
    assert_same_bits(predicted, stored_of_model(split / "cells" / cell))


@pytest.fixture(scope="module")
def changed() -> Iterator[Callable[..., Reruns]]:
    """Return a function that compares the run with one whose methods or training section has changed."""

    def changed(**changes: Any) -> Reruns:
        config = deepcopy(RUN)
        config["methods"].update(changes.pop("methods", {}))
        return planned.reruns({**config, **changes})

    with planned_run(RUN) as planned:
        yield changed


def test_a_changed_member_reruns_the_blends_and_not_the_other_members(changed) -> None:
    found = changed(methods={"tree": {**MEMBERS["tree"], "settings": {"model": "forest"}}})
    assert found.changed == {"train_method", "blend_cells"}
    assert not found.added


def test_other_settings_of_a_blend_train_nothing(changed) -> None:
    stack = {"engine": "blend", "settings": {"members": list(MEMBERS), "weights": "equal"}}
    assert changed(methods={"stack": stack}).changed == {"blend_cells"}


def test_a_further_blend_trains_nothing(changed) -> None:
    more = {"engine": "blend", "settings": {"members": ["tree"]}}
    found = changed(methods={"more": more})
    assert found.added == {"blend_cells"}
    assert "train_method" not in found.changed


def test_without_models_nothing_of_a_blend_is_kept(changed) -> None:
    assert changed(training={"keep_models": False}).changed == {"train_method", "blend_cells"}
