"""AutoGluon as an engine: which checkpoints of a training are kept, in the direction of the metric."""

import json
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import pytest
from autogluon.core.metrics import get_metric
from autogluon.multimodal.utils import AutoMMModelCheckpoint
from hub_server import Hub, serve_hub

from make_local_encoders import main as make_local_encoders
from polyfacet.facets.registry import facets_of
from polyfacet.materials import crystal_objectives
from polyfacet.materials.objectives import Objective
from polyfacet.training.encoders.hub_cache import read_record
from polyfacet.training.engines.automm.autogluon_compat import FacetLearner
from polyfacet.training.engines.automm.engine import AutoMM
from polyfacet.training.engines.automm.selection import select
from polyfacet.training.engines.automm.settings import AutoMMSettings
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import load

N, N_TRAIN, N_CHOOSING = 72, 48, 16
GAP = crystal_objectives.GAP.objective
PHASE = Objective("phase", "Phase", classes=("fcc", "bcc", "hcp"))
TWO_PHASES = Objective("phase", "Phase", classes=("fcc", "bcc"))
METHODS = ("greedy_soup", "best", "uniform_soup")
Scores = list[tuple[str, float]]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Materials with a weak signal, so that the validation score goes up and down."""
    generator = np.random.default_rng(0)
    embedding = generator.normal(size=(N, 6)).astype(np.float32)
    gap = 2 * embedding[:, 0] + generator.normal(size=N)
    return pd.DataFrame(
        {
            "mat_id": [f"m{i:02d}" for i in range(N)],
            "text": [f"Na {i % 7} Cl {i % 5}" for i in range(N)],
            "graph": list(embedding),
            "gap": gap,
        }
    )


def with_phases(frame: pd.DataFrame, objective: Objective) -> pd.DataFrame:
    if not objective.classes:
        return frame
    parts = pd.qcut(frame["gap"], len(objective.classes), labels=list(objective.classes))
    return frame.assign(phase=parts.astype(str))


@pytest.fixture
def epochs(monkeypatch: pytest.MonkeyPatch) -> Scores:
    """Write down the validation score of every epoch, as the checkpoints are named."""
    seen: Scores = []
    original = AutoMMModelCheckpoint.on_validation_end

    def on_validation_end(self: AutoMMModelCheckpoint, trainer: pl.Trainer, module: Any) -> None:
        if not trainer.sanity_checking:
            name = f"epoch={trainer.current_epoch}-step={trainer.global_step}.ckpt"
            seen.append((name, float(trainer.callback_metrics[self.monitor])))
        original(self, trainer, module)

    monkeypatch.setattr(AutoMMModelCheckpoint, "on_validation_end", on_validation_end)
    return seen


def settings_of(method: str, **more: Any) -> AutoMMSettings:
    return AutoMMSettings(
        max_epochs=6,
        batch_size=8,
        learning_rate=0.01,
        schedule="autogluon",
        hyperparameters={"optim.top_k_average_method": method, **more},
    )


def fit(
    frame: pd.DataFrame,
    objective: Objective,
    settings: AutoMMSettings,
    combination: str,
    resources: Resources,
    folder: Path,
) -> tuple[AutoMM, dict[str, Any]]:
    """Train, and read what was chosen."""
    engine = AutoMM(settings, resources, "automm")
    engine.fit(frame[:N_TRAIN], choosing(frame), facets_of(combination), objective)
    engine.save(folder)
    return engine, json.loads((folder / "selection.json").read_text())


def choosing(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[N_TRAIN : N_TRAIN + N_CHOOSING]


def check_selection(selection: dict[str, Any], method: str, epochs: Scores, top_k: int = 3) -> None:
    """Hold what was kept against the scores of all epochs."""
    candidates = selection["candidates"]
    best = [name for name, _ in sorted(epochs, key=lambda epoch: epoch[1])[:top_k]]
    assert set(candidates) == set(best)
    assert list(candidates.values()) == sorted(candidates.values())
    assert len({round(score, 9) for score in candidates.values()}) == top_k, "the epochs must differ"
    if method == "uniform_soup":
        assert sorted(selection["kept"]) == sorted(best)
    else:
        assert selection["kept"][0] == best[0]
        assert selection["score"] <= min(candidates.values())
    if method == "best":
        assert selection["kept"] == best[:1]
        assert selection["score"] == candidates[best[0]]


def validation_score(engine: AutoMM, rows: pd.DataFrame, objective: Objective) -> float:
    """Measure the model itself, apart from what it says of itself."""
    if not objective.classes:
        return float(np.mean(np.abs(engine.predict(rows) - rows[objective.column])))
    table = pd.DataFrame({f"graph_{i:03d}": np.stack(rows["graph"])[:, i] for i in range(6)})
    probability = engine._predictor.predict_proba(table.assign(text=rows["text"].to_numpy()))
    own = [probability.loc[i, name] for i, name in enumerate(rows[objective.column])]
    return float(-np.mean(np.log(own)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("objective", [GAP, PHASE, TWO_PHASES], ids=["numbers", "classes", "two classes"])
def test_what_is_kept_is_the_best_of_a_training(
    frame: pd.DataFrame, tmp_path: Path, epochs: Scores, method: str, objective: Objective
) -> None:
    rows = with_phases(frame, objective)
    engine, selection = fit(rows, objective, settings_of(method), "graph", Resources(1), tmp_path / "model")
    check_selection(selection, method, epochs)
    measured = validation_score(engine, choosing(rows), objective)
    assert measured == pytest.approx(selection["score"], rel=1e-4)
    loaded = load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(rows), engine.predict(rows))
    assert not list((tmp_path / "model").glob("epoch=*"))


@pytest.mark.parametrize("method", METHODS)
def test_local_encoders_keep_the_best(
    frame: pd.DataFrame, tmp_path: Path, epochs: Scores, method: str
) -> None:
    text = {"hidden_size": 16, "n_layers": 1, "n_heads": 2}
    image = {"architecture": "edgenext_xx_small", "size_px": 32}
    make_local_encoders(tmp_path / "encoders", seed=0, text=text, image=image, compimage=image)
    resources = Resources(1, encoders=tmp_path / "encoders")
    engine, selection = fit(frame, GAP, settings_of(method), "text", resources, tmp_path / "model")
    check_selection(selection, method, epochs)
    measured = validation_score(engine, choosing(frame), GAP)
    assert measured == pytest.approx(selection["score"], rel=1e-4)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Serve a tiny text encoder as the preset's, on this machine alone."""
    make_local_encoders(
        tmp_path / "encoders",
        seed=0,
        text={"hidden_size": 16, "n_layers": 1, "n_heads": 2},
        image={"size_px": 32},
        compimage={"size_px": 32},
    )
    files = {path.name: path.read_bytes() for path in (tmp_path / "encoders" / "text").iterdir()}
    with serve_hub(monkeypatch, {"google/electra-small-discriminator": files}) as served:
        yield served


@pytest.mark.parametrize("method", METHODS)
def test_encoders_of_the_hub_keep_the_best(
    frame: pd.DataFrame,
    tmp_path: Path,
    epochs: Scores,
    method: str,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from fetch_hub_encoders import main as fetch_hub_encoders

    fetch_hub_encoders(tmp_path / "record.json", cache=tmp_path / "hub", combinations=["text"], settings={})
    assert read_record(tmp_path / "record.json").encoders
    assert hub.requests
    hub.requests.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    settings = settings_of(method, **{"optim.lr_choice": "single_stage"})
    engine, selection = fit(frame, GAP, settings, "text", Resources(1), tmp_path / "model")
    assert not hub.requests
    check_selection(selection, method, epochs)
    measured = validation_score(engine, choosing(frame), GAP)
    assert measured == pytest.approx(selection["score"], rel=1e-4)


@pytest.mark.parametrize("metric", ["mean_absolute_error", "root_mean_squared_error", "r2", "pearsonr"])
def test_the_direction_is_that_of_the_metric(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    scorer = get_metric(metric)
    better = max if scorer.greater_is_better_internal else min
    monkeypatch.setattr("polyfacet.training.engines.automm.engine.METRIC", metric)
    monkeypatch.setattr("polyfacet.training.engines.automm.engine.MAELearner", FacetLearner)
    _, selection = fit(frame, GAP, settings_of("greedy_soup"), "graph", Resources(1), tmp_path / "model")
    candidates = selection["candidates"]
    assert selection["lower_is_better"] is (better is min)
    assert candidates[selection["kept"][0]] == better(candidates.values())
    assert better(selection["score"], *candidates.values()) == selection["score"]


SCORES = {"a": 0.3, "b": 0.2, "c": 0.4}


def score_of(checkpoints) -> float:
    """Score an average as the mean of its scores, a little lower."""
    return float(np.mean([SCORES[name] for name in checkpoints])) - 0.06 * (len(checkpoints) - 1)


@pytest.mark.parametrize(
    ("method", "lower", "kept", "score"),
    [
        ("best", True, ["b"], 0.2),
        ("best", False, ["c"], 0.4),
        ("greedy_soup", True, ["b", "a", "c"], 0.18),
        ("greedy_soup", False, ["c"], 0.4),
        ("uniform_soup", True, ["b", "a", "c"], 0.18),
        ("uniform_soup", False, ["c", "a", "b"], 0.18),
    ],
)
def test_checkpoints_are_chosen_in_either_direction(method, lower, kept, score) -> None:
    selection = select(list(SCORES), score_of, method, "made up", lower)
    assert list(selection.kept) == kept
    assert selection.score == pytest.approx(score)


def test_an_epoch_without_a_score_is_not_kept() -> None:
    scores = {"a": float("nan"), "b": 0.2, "c": float("inf")}
    for method in METHODS:
        assert select(list(scores), lambda kept: scores[kept[0]], method, "made up", True).kept == ["b"]
    with pytest.raises(EngineError, match="diverged"):
        select(["a"], lambda _: float("nan"), "best", "made up", True)
