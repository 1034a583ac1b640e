"""Bundles: they can be moved, and predict what the run has predicted, with every engine."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_run import SmallRun, small_run

from polyfacet.facets.registry import COMPIMAGE, GRAPH
from polyfacet.materials.crystal_objectives import E_FORM
from polyfacet.use.prediction.bundle import Bundle
from polyfacet.use.prediction.tables import NEW_MATERIALS

N = 60
# Text form, statistics as features, several models, an ensemble with members of two engines, a baseline.
ENGINES: dict[str, tuple[str, dict[str, Any], tuple]] = {
    "mean": ("dummy", {"statistic": "mean"}, ()),
    "svm": ("classical", {"model": "svm"}, (GRAPH,)),
    "forest": ("classical", {"model": "forest", "hyperparameters": {"n_estimators": 20}}, (GRAPH, COMPIMAGE)),
    "ridge": ("classical", {"model": "ridge", "features": "expanded_pca"}, (COMPIMAGE,)),
    "sgd": ("classical", {"model": "sgd"}, (COMPIMAGE,)),
    "tree": ("classical", {"model": "tree", "features": "expanded"}, (GRAPH,)),
    "xgboost": ("classical", {"model": "xgboost", "hyperparameters": {"n_estimators": 20}}, (GRAPH,)),
    "extra_trees": (
        "classical",
        {"model": "extra_trees", "hyperparameters": {"n_estimators": 20}},
        (GRAPH,),
    ),
    "mcvn": ("mcvn", {"max_epochs": 3}, (GRAPH, COMPIMAGE)),
    "ensemble": (
        "ensemble",
        {
            "members": [
                {"engine": "classical", "settings": {"model": "ridge"}},
                {"engine": "mcvn", "settings": {"max_epochs": 2}},
            ]
        },
        (GRAPH, COMPIMAGE),
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    return small_run(tmp_path_factory.mktemp("run"), N)


@pytest.fixture(scope="module")
def bundles(run: SmallRun) -> Path:
    """Return the bundles of all engines, moved to another folder."""
    cells = [run.train(name, *each, E_FORM.objective) for name, each in ENGINES.items()]
    made = run.bundle(cells, run.file("bundles"))
    return made.rename(run.file("moved"))


def folder_of(bundles: Path, method: str) -> Path:
    (folder,) = (bundles / method).glob("*/*")
    return folder


def stored(run: SmallRun, method: str) -> pd.DataFrame:
    (path,) = run.file("cells").glob(f"{method}/*/*/predictions.parquet")
    return pd.read_parquet(path).set_index("mat_id")


def as_new(run: SmallRun) -> pd.DataFrame:
    """Return the materials of the run as new ones."""
    rows = pd.read_parquet(run.file("sample.parquet"))
    rows = rows.rename(columns={"source_position": "position"})
    return rows.assign(composition=None, process=None)[NEW_MATERIALS.names]


@pytest.mark.parametrize("method", ENGINES)
def test_the_same_rows_together_are_predicted_bit_for_bit(run: SmallRun, bundles: Path, method: str) -> None:
    rows = stored(run, method)
    materials = as_new(run)
    materials = materials[materials["mat_id"].isin(rows.index)]
    found = Bundle.open(folder_of(bundles, method)).predict_materials(materials)
    predicted = found.predictions.set_index("mat_id")["prediction"]
    pd.testing.assert_series_equal(predicted, rows["y_pred"], check_exact=True, check_names=False)


@pytest.mark.parametrize("method", ENGINES)
def test_predictions_for_the_files_of_a_runs_materials_are_those_of_the_run(
    run: SmallRun, bundles: Path, method: str
) -> None:
    rows = stored(run, method)
    found = Bundle.open(folder_of(bundles, method)).predict(run.file("structures"))
    assert found.left_out.empty
    predicted = found.predictions.set_index("mat_id")["prediction"][rows.index]
    within = 1e-5 * rows["y_true"].std()
    assert (np.abs(predicted - rows["y_pred"]) <= within).mean() >= 0.999
