"""Cells of every engine: data that cannot be learned from fail the cell, a failing machine fails the job."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from autogluon.multimodal import MultiModalPredictor
from grid_cells import cell_of
from sklearn.ensemble import ExtraTreesRegressor
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

from polyfacet.evaluation.scores import scores_of_cell
from polyfacet.evaluation.tables import cell_row
from polyfacet.facets.registry import GRAPH
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.training.cards import Card, read_card, write_card
from polyfacet.training.cells import PREDICTIONS, train
from polyfacet.training.engines.base import Engine, Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.engines.mcvn.network import MCVN

N_TRAIN, N_VALID, N_TEST = 32, 8, 10
N = N_TRAIN + N_VALID + N_TEST
QUICK: dict[str, dict[str, Any]] = {
    "automm": {"max_epochs": 1, "batch_size": 8},
    "classical": {"model": "extra_trees", "hyperparameters": {"n_estimators": 3}},
    "mcvn": {"max_epochs": 2},
    "ensemble": {
        "members": [
            {
                "engine": "classical",
                "settings": {"model": "extra_trees", "hyperparameters": {"n_estimators": 3}},
            }
        ]
    },
    "dummy": {"statistic": "median"},
}
ENGINES = tuple(QUICK)
# Engines whose epochs the validation rows choose; the others train on them.
CHOOSING = ("automm", "mcvn")


@pytest.fixture
def frame() -> pd.DataFrame:
    parts = ["train"] * N_TRAIN + ["valid"] * N_VALID + ["test"] * N_TEST
    rows = synthetic_cells(N).assign(
        part=parts, formula=[f"F{i}" for i in range(N)], group=[f"G{i}" for i in range(N)]
    )
    return rows.assign(facets=[["graph"]] * N)


def engine_of(name: str, objective: Objective, encoders: Path | None = None) -> Engine:
    return create(name, QUICK[name], Resources(seed=1, encoders=encoders))


def run(
    name: str,
    rows: pd.DataFrame,
    objective: Objective,
    folder: Path,
) -> Card:
    """Train a cell, and read back the files that its job writes."""
    facets = () if name == "dummy" else (GRAPH,)
    cell = cell_of(facets, objective, name)
    # Only told that its encoders are local, the graph facet has none.
    engine = engine_of(name, objective, folder)
    predictions, card = train(cell, engine, rows, folder / "model")
    write_table(folder / "predictions.parquet", predictions, PREDICTIONS)
    write_card(folder / "card.json", card)
    kept = read_table(folder / "predictions.parquet", PREDICTIONS)
    predicted = kept["predicted_class" if objective.classes else "y_pred"]
    assert predicted.isna().all() == (card.status == "failed")
    assert any((folder / "model").iterdir()) == (card.status == "ok")
    return read_card(folder / "card.json")


def in_parts(rows: pd.DataFrame, parts: tuple[str, ...], value: Any, objective: Objective) -> pd.DataFrame:
    """Give the rows of some parts the same answer."""
    column = objective.column
    return rows.assign(**{column: rows[column].where(~rows["part"].isin(parts), value)})


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("objective", "value"), [(STRENGTH, 0.0), (STRENGTH, 0.3), (PHASE, "RMG")])
@pytest.mark.parametrize("parts", [("train", "valid", "test"), ("train", "valid")])
def test_one_answer_for_all_is_nothing_to_learn(frame, tmp_path, name, objective, value, parts) -> None:
    card = run(name, in_parts(frame, parts, value, objective), objective, tmp_path)
    assert card.status == "failed"
    assert f"{objective.column} is always" in str(card.reason)


def test_numbers_that_differ_by_rounding_are_one_answer(frame, tmp_path) -> None:
    rows = in_parts(frame, ("train",), 0.3, STRENGTH)
    rows.loc[::2, "strength"] = rows.loc[::2, "strength"].replace(0.3, 0.1 + 0.2)
    assert run("mcvn", rows, STRENGTH, tmp_path).status == "failed"
    tiny = frame.assign(strength=frame["strength"] * 1e-30)
    assert run("mcvn", tiny, STRENGTH, tmp_path).status == "ok"


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("objective", "value"), [(STRENGTH, 0.0), (PHASE, "RMG")])
def test_one_answer_in_the_training_rows_alone(frame, tmp_path, name, objective, value) -> None:
    card = run(name, in_parts(frame, ("train",), value, objective), objective, tmp_path)
    # Validation rows are predicted without being learned: a classifier needs two classes in train.
    learns = name == "dummy" or (name not in CHOOSING and not objective.classes)
    assert card.status == ("ok" if learns else "failed")


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("objective", "value"), [(STRENGTH, 0.0), (PHASE, "RMG")])
def test_one_answer_in_the_validation_rows_alone(frame, tmp_path, name, objective, value) -> None:
    card = run(name, in_parts(frame, ("valid",), value, objective), objective, tmp_path)
    assert card.status == ("failed" if name in CHOOSING else "ok")
    if name in CHOOSING:
        assert "select the epoch" in str(card.reason)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("objective", [STRENGTH, PHASE])
def test_one_answer_in_the_test_rows_has_errors_but_no_scale(frame, tmp_path, name, objective) -> None:
    value = "RMG" if objective.classes else 500.0
    card = run(name, in_parts(frame, ("test",), value, objective), objective, tmp_path)
    assert card.status == "ok"
    if not objective.classes:
        predictions = read_table(tmp_path / "predictions.parquet", PREDICTIONS)
        scores = list(scores_of_cell(cell_row(card, {"label": "a", "unit": ""}), predictions))
        found = {score["metric"]: score["value"] for score in scores}
        assert np.isnan(found["mase"])
        assert np.isfinite(found["mae"])


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("objective", [STRENGTH, PHASE])
@pytest.mark.parametrize("parts", [("train", "valid", "test"), ("train", "valid"), ("test",)])
def test_answers_that_are_all_missing(frame, tmp_path, name, objective, parts) -> None:
    rows = in_parts(frame, parts, None if objective.classes else np.nan, objective)
    card = run(name, rows, objective, tmp_path)
    assert card.status == "failed"
    assert "no rows are left to" in str(card.reason)
    assert f"a value of {objective.column}" in str(card.reason)


@pytest.mark.parametrize("name", CHOOSING)
def test_validation_answers_that_are_all_missing(frame, tmp_path, name) -> None:
    card = run(name, in_parts(frame, ("valid",), np.nan, STRENGTH), STRENGTH, tmp_path)
    assert "select the epoch" in str(card.reason)


@pytest.mark.parametrize("name", ENGINES)
def test_rows_without_an_answer_are_left_out_and_counted(frame, tmp_path, name) -> None:
    rows = frame.copy()
    rows.loc[[0, 3, 45], "strength"] = np.nan
    rows.loc[4, "strength"] = np.inf
    card = run(name, rows, STRENGTH, tmp_path)
    assert card.status == "ok"
    assert (card.counts.n_missing, card.counts.n_test) == (4, N_TEST - 1)


def without_facet(rows: pd.DataFrame, where: pd.Series) -> pd.DataFrame:
    """Take the facet from some rows."""
    return rows.assign(facets=[[] if out else ["graph"] for out in where])


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "dummy"])
@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("objective", [STRENGTH, PHASE])
def test_too_few_rows_to_learn_from(frame, tmp_path, name, left, objective) -> None:
    few = without_facet(frame, (frame["part"] != "test") & (frame.index >= left))
    card = run(name, few, objective, tmp_path)
    assert card.status == "failed"
    assert card.counts.n_missing == N_TRAIN + N_VALID - left


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "dummy"])
def test_no_rows_to_test_on(frame, tmp_path, name) -> None:
    card = run(name, without_facet(frame, frame["part"] == "test"), STRENGTH, tmp_path)
    assert "no rows are left to test on" in str(card.reason)


@pytest.mark.parametrize("name", CHOOSING)
@pytest.mark.parametrize("objective", [STRENGTH, PHASE])
def test_one_validation_row_is_enough(frame, tmp_path, name, objective) -> None:
    rows = frame.drop(index=frame.index[frame["part"] == "valid"][1:])
    assert run(name, rows, objective, tmp_path).status == "ok"


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "dummy"])
@pytest.mark.parametrize("objective", [STRENGTH, PHASE])
@pytest.mark.parametrize("numbers", ["equal", "one missing", "a column missing", "all missing", "infinite"])
def test_a_facet_that_says_little(frame, tmp_path, name, objective, numbers) -> None:
    values = np.stack(frame["graph"])
    match numbers:
        case "equal":
            values[:] = 1.0
        case "one missing":
            values[3, 2] = np.nan
        case "a column missing":
            values[:, 2] = np.nan
        case "all missing":
            values[:] = np.nan
        case "infinite":
            values[-1, 2] = np.inf
    card = run(name, frame.assign(graph=list(values)), objective, tmp_path)
    nothing = name == "automm" and numbers in ("equal", "all missing")
    assert card.status == ("failed" if numbers == "infinite" or nothing else "ok")


# Whoever sums such answers up overflows, and NumPy says so.
@pytest.mark.filterwarnings("ignore:overflow encountered in reduce:RuntimeWarning:numpy")
@pytest.mark.parametrize("name", [name for name in ENGINES if name != "dummy"])
def test_answers_beyond_all_numbers(frame, tmp_path, name) -> None:
    card = run(name, frame.assign(strength=frame["strength"] * 1e304), STRENGTH, tmp_path)
    assert card.status == "ok" or card.reason


def test_training_that_diverges_is_a_failed_card(frame, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(QUICK, "automm", {"max_epochs": 2, "batch_size": 8, "learning_rate": 1e30})
    monkeypatch.setitem(QUICK, "mcvn", {"max_epochs": 2, "learning_rate": 1e300})
    for name in CHOOSING:
        for objective in (STRENGTH, PHASE):
            card = run(name, frame, objective, tmp_path / name / objective.column)
            assert "diverged" in str(card.reason)


@pytest.mark.parametrize(
    ("name", "n_train", "n_valid"),
    [
        ("automm", N_TRAIN, N_VALID),
        ("mcvn", N_TRAIN, N_VALID),
        ("classical", N_TRAIN + N_VALID, 0),
        ("ensemble", N_TRAIN + N_VALID, 0),
        ("mixed", N_TRAIN + N_VALID, N_VALID),
    ],
)
def test_the_card_counts_rows_by_what_they_were_used_for(
    frame, tmp_path, monkeypatch, name, n_train, n_valid
) -> None:
    if name == "mixed":
        members = [{"engine": each, "settings": QUICK[each]} for each in ("mcvn", "classical")]
        monkeypatch.setitem(QUICK, "ensemble", {"members": members})
        name = "ensemble"
    card = run(name, frame, STRENGTH, tmp_path)
    assert (card.counts.n_train, card.counts.n_valid, card.counts.n_test) == (n_train, n_valid, N_TEST)
    parts = pd.read_parquet(tmp_path / "predictions.parquet")["part"].value_counts()
    assert parts.to_dict() == {"train": N_TRAIN, "valid": N_VALID, "test": N_TEST}


# Where each engine is when something breaks: in the library that it calls.
INSIDE: dict[str, dict[str, tuple[Any, str]]] = {
    "automm": {"fit": (MultiModalPredictor, "fit"), "predict": (MultiModalPredictor, "predict")},
    "classical": {"fit": (ExtraTreesRegressor, "fit"), "predict": (ExtraTreesRegressor, "predict")},
    "ensemble": {"fit": (ExtraTreesRegressor, "fit"), "predict": (ExtraTreesRegressor, "predict")},
    "mcvn": {"fit": (torch.optim.Adam, "step"), "predict": (MCVN, "forward")},
}
FAILURES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    MemoryError("Unable to allocate 9 GiB"),
    OSError(errno.ENOSPC, "No space left on device", "model.ckpt"),
    FileNotFoundError(errno.ENOENT, "No such file or directory", "vocab.txt"),
    PermissionError(errno.EACCES, "Permission denied", "model.ckpt"),
    NotImplementedError("no kernel for this"),
    RecursionError("maximum recursion depth exceeded"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
    KeyError("model.timm_image"),
    TypeError("unsupported operand"),
]


@pytest.mark.parametrize(
    ("name", "half", "encoders"),
    [
        ("automm", "fit", "local"),
        ("automm", "fit", "hub"),
        ("automm", "predict", "local"),
        *((name, half, None) for name in ("classical", "ensemble", "mcvn") for half in ("fit", "predict")),
    ],
)
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: f"{type(failure).__name__}: {failure}"[:30])
def test_a_failure_of_the_machine_or_a_defect_is_raised_as_what_it_is(
    frame, tmp_path, monkeypatch, name, half, failure, encoders
) -> None:
    owner, method = INSIDE[name][half]

    def fail(*_: object, **__: object) -> None:
        raise failure

    engine = engine_of(name, STRENGTH, tmp_path if encoders == "local" else None)
    cell = cell_of((GRAPH,), STRENGTH, name)
    if half == "predict":
        trained = engine_of(name, STRENGTH, tmp_path) if name == "automm" else engine
        parts = (frame[frame["part"] == part] for part in ("train", "valid"))
        trained.fit(*parts, cell.facets, STRENGTH)
        trained.save(tmp_path / "trained")
        monkeypatch.setattr(trained, "fit", lambda *_: None)
        engine = trained
    monkeypatch.setattr(owner, method, fail)
    with pytest.raises(type(failure)) as raised:
        train(cell, engine, frame, tmp_path / "model")
    assert raised.value is failure


def test_the_cause_that_a_library_hides_is_the_one_that_is_told(frame, tmp_path, monkeypatch) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    def wrap(*_: object, **__: object) -> None:
        try:
            raise full
        except OSError as error:
            raise OSError("Can't load the model for 'google/electra-small-discriminator'") from error

    monkeypatch.setattr(MultiModalPredictor, "fit", wrap)
    cell = cell_of((GRAPH,), STRENGTH, "automm")
    with pytest.raises(OSError, match="No space left") as raised:
        train(cell, engine_of("automm", STRENGTH), frame, tmp_path / "model")
    assert raised.value is full


def test_a_model_that_pytorch_cannot_write_names_the_disk(frame, tmp_path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")

    monkeypatch.setattr(torch, "save", fail)
    cell = cell_of((GRAPH,), STRENGTH, "automm")
    with pytest.raises(OSError, match=r"disk may be full.*unexpected pos"):
        train(cell, engine_of("automm", STRENGTH, tmp_path), frame, tmp_path / "model")
