"""Class probabilities: which engines have them, and how a cell stores them with its predictions."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from grid_cells import cell_of, sample_of, tables_of_run
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

import collect_results
from polyfacet.facets.registry import GRAPH
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.training.cards import write_card
from polyfacet.training.cells import PREDICTIONS, train
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.engines.probabilities import check_probabilities
from polyfacet.training.learnable import check_predictions

N = 90
TREES = ("classical", {"model": "extra_trees", "hyperparameters": {"n_estimators": 20}})


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    parts = ["train"] * 60 + ["valid"] * 15 + ["test"] * 15
    return synthetic_cells(N).assign(facets=[["graph"]] * N, part=parts)


@pytest.fixture
def trained(rows, tmp_path):
    def run(name, settings, objective=PHASE):
        facets = () if name == "dummy" else (GRAPH,)
        engine = create(name, settings, Resources(seed=1))
        predictions, card = train(cell_of(facets, objective, name), engine, rows, tmp_path / "model")
        assert card.status == "ok", card.reason
        write_card(tmp_path / "card.json", card)
        write_table(tmp_path / "predictions.parquet", predictions, PREDICTIONS)
        return engine

    return run


def test_they_are_in_the_predictions_class_by_class(trained, rows, tmp_path):
    engine = trained(*TREES)
    read = pd.read_parquet(tmp_path / "predictions.parquet").set_index("mat_id").loc[rows["mat_id"]]
    assert all([name for name, _ in each] == list(PHASE.classes) for each in read["probabilities"])
    shares = pd.DataFrame([dict(each) for each in read["probabilities"]])
    expected = engine.predict_probabilities(rows)
    # Validation rows are predicted by an engine that was not fitted on them.
    is_valid, alone = rows["part"] == "valid", engine.unfitted()
    alone.fit(rows[rows["part"] == "train"], rows[:0], (GRAPH,), PHASE)
    expected[is_valid] = alone.predict_probabilities(rows[is_valid])
    np.testing.assert_allclose(shares, expected)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares.idxmax(axis=1).tolist() == read["predicted_class"].tolist()
    assert ((shares > 0) & (shares < 1)).any(axis=None)


def test_what_they_mean_is_in_the_file(trained, tmp_path):
    trained(*TREES)
    field = pq.read_schema(tmp_path / "predictions.parquet").field("probabilities")
    assert b"in the order of the column classes of cells.parquet" in field.metadata[b"meaning"]


@pytest.mark.parametrize(
    ("name", "settings", "objective"),
    [
        (*TREES, STRENGTH),
        ("classical", {"model": "ridge"}, PHASE),
        ("dummy", {}, PHASE),
    ],
    ids=["numbers", "votes", "dummy"],
)
def test_they_are_missing_where_there_are_none(trained, tmp_path, name, settings, objective):
    trained(name, settings, objective)
    assert pd.read_parquet(tmp_path / "predictions.parquet")["probabilities"].isna().all()


def test_they_are_in_the_table_of_the_run(trained, tmp_path):
    trained(*TREES)
    tables = tables_of_run(tmp_path / "tables")
    objectives = {"crystals": {"phase": {"label": "Phase", "unit": ""}}}
    sample = sample_of(pd.read_parquet(tmp_path / "predictions.parquet")["mat_id"], tmp_path)
    collect_results.main([tmp_path], [sample], **tables, reference=None, objectives=objectives)
    cells = pd.read_parquet(tables["cells_table"])
    assert set(cells["label"]) == {"Phase"}
    assert cells["untrained"].map(list).tolist() == [[]] * len(cells)
    own, all_of_run = (
        read_table(path, PREDICTIONS) for path in (tmp_path / "predictions.parquet", tables["predictions"])
    )
    pd.testing.assert_frame_equal(own, all_of_run)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[0.5, np.nan, 0.5]], EngineError, "1 of 1 rows have probabilities that are not finite"),
        ([[0.5, 0.5]], RuntimeError, "shape"),
        ([[0.5, 0.2, 0.2]], RuntimeError, "do not add up to 1"),
        ([[1.5, -0.5, 0.0]], RuntimeError, "not all between 0 and 1"),
    ],
)
def test_what_is_no_probability_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        check_probabilities(np.array(values), PHASE, n_rows=1)


@pytest.mark.parametrize("n_rows", [1, 3])
def test_those_of_autogluon_are_put_in_the_order_of_the_objective(n_rows, rows):
    """It knows the classes of the training rows alone, in the order of the alphabet."""
    engine = create("automm", {}, Resources(seed=1))
    engine.facets, engine._objective = (GRAPH,), PHASE
    engine._predictor = SimpleNamespace(
        class_labels=np.array(["BMG", "CRA"]),
        predict_proba=lambda table, as_pandas: np.array([[0.25, 0.75]] * len(table), dtype=np.float32),
    )
    assert PHASE.classes == ("BMG", "RMG", "CRA")
    assert engine.predict_probabilities(rows[:n_rows]).tolist() == [[0.25, 0.0, 0.75]] * n_rows


def test_a_predicted_name_that_is_no_class_is_a_defect_of_the_engine():
    check_predictions(np.array(list(PHASE.classes), dtype=object), PHASE)
    with pytest.raises(ValueError, match=r"the engine predicted \['other'\], which are not classes of"):
        check_predictions(np.array([PHASE.classes[0], "other"], dtype=object), PHASE)
