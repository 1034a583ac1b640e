"""AutoGluon as an engine: real, tiny trainings, and the ways in which it must not go wrong silently."""

import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autogluon.multimodal.utils import AutoMMModelCheckpointIO
from PIL import Image
from synthetic_cells import PHASE as ALLOY_PHASE
from synthetic_cells import STRENGTH, synthetic_cells

from make_local_encoders import main as make_local_encoders
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import GRAPH, IMAGE, TEXT, facets_of
from polyfacet.materials import crystal_objectives
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.automm.engine import AutoMM
from polyfacet.training.engines.automm.settings import AutoMMSettings
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.contract import check_engine
from polyfacet.training.engines.creation import create, load

N = 24
GAP = crystal_objectives.GAP.objective
PHASE = Objective("phase", "Phase", classes=("fcc", "bcc", "hcp"))
ELEMENTS = ("Na", "Cl", "Fe", "O", "Ag", "F")
ONE_EPOCH = AutoMMSettings(max_epochs=1, batch_size=8)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny local encoders."""
    folder = tmp_path_factory.mktemp("encoders") / "local"
    image = {"architecture": "edgenext_xx_small", "size_px": 32}
    text = {"hidden_size": 32, "n_layers": 1, "n_heads": 2}
    make_local_encoders(folder, seed=0, text=text, image=image, compimage=image)
    return folder


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    """Made-up materials whose pictures show random colours."""
    generator = np.random.default_rng(5)
    rows = []
    for i in range(N):
        paths = {name: str(tmp_path / f"{name}_{i:02d}.png") for name in ("image", "compimage")}
        for path in paths.values():
            Image.fromarray(generator.integers(0, 256, (24, 21, 3), dtype=np.uint8)).save(path)
        a, b = generator.choice(len(ELEMENTS), 2, replace=False)
        text = f"{ELEMENTS[a]} {ELEMENTS[b]} {i % 3 + 2}"
        embedding = generator.normal(size=8).astype(np.float32)
        rows.append({"mat_id": f"m{i:02d}", "text": text, "graph": embedding, "gap": float(a), **paths})
    return pd.DataFrame(rows)


@pytest.fixture
def fit(frame: pd.DataFrame, encoders: Path, tmp_path: Path) -> Callable[..., AutoMM]:
    """Train on 16 rows, choose by 4."""

    def run(combination: str, folder: str = "model", seed: int = 1) -> AutoMM:
        engine = AutoMM(ONE_EPOCH, Resources(seed=seed, threads=1, encoders=encoders), "automm")
        engine.fit(frame[:16], frame[16:20], facets_of(combination), GAP)
        engine.save(tmp_path / folder)
        return engine

    return run


@pytest.mark.parametrize("combination", ["text", "image", "graph", "compimage", "text+image+graph+compimage"])
def test_as_many_predictions_as_rows(
    combination: str, fit: Callable[..., AutoMM], frame: pd.DataFrame, tmp_path: Path
) -> None:
    engine = fit(combination)
    for rows in (frame, frame[20:], frame[:1], frame[::-1]):
        assert engine.predict(rows).shape == (len(rows),)
    np.testing.assert_allclose(engine.predict(frame[::-1])[::-1], engine.predict(frame), atol=1e-5)
    left = {path.name for path in (tmp_path / "model").iterdir()}
    assert "weights.safetensors" in left
    assert "last.ckpt" not in left


@pytest.mark.parametrize("combination", ["text", "image", "graph", "compimage", "text+image+graph+compimage"])
def test_a_saved_model_has_no_pickles_and_predicts_the_same_bits(
    combination: str,
    fit: Callable[..., AutoMM],
    frame: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = fit(combination)
    files = [path.suffix for path in (tmp_path / "model").rglob("*") if path.is_file()]
    assert not {".pkl", ".ckpt", ".bin", ".pt"} & set(files)
    moved = (tmp_path / "model").rename(tmp_path / "moved")
    monkeypatch.setattr("pickle.load", lambda *_, **__: pytest.fail("unpickled"))
    np.testing.assert_array_equal(load(moved).predict(frame), engine.predict(frame))


def test_the_same_seed_gives_the_same_predictions(fit: Callable[..., AutoMM], frame: pd.DataFrame) -> None:
    first, second, other = (
        fit("text+image+graph", folder, seed).predict(frame)
        for folder, seed in (("first", 1), ("second", 1), ("other", 2))
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("loss", "center"), [("absolute", 0.0), ("squared", 2.0)])
def test_the_loss_decides_between_median_and_mean(loss: str, center: float, tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    rows = 160
    # Nothing can be learned from the numbers; four of five values are 0, the others 10.
    frame = pd.DataFrame({"mat_id": [f"m{i:03d}" for i in range(rows)], "gap": [10.0, 0, 0, 0, 0] * 32})
    frame["graph"] = list(1e-3 * generator.normal(size=(rows, 2)).astype(np.float32))
    engine = AutoMM(AutoMMSettings(loss=loss, max_epochs=12), Resources(seed=1, encoders=tmp_path), "automm")
    engine.fit(frame[:120], frame[120:], facets_of("graph"), GAP)
    assert engine.predict(frame).mean() == pytest.approx(center, abs=0.8)
    engine.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict(frame), engine.predict(frame))


def train_in_a_row(frame: pd.DataFrame, encoders: Path, folder: Path) -> None:
    """Train a cell in a process that has trained none, then again."""
    for name in ("first", "second"):
        engine = AutoMM(ONE_EPOCH, Resources(seed=1, threads=1, encoders=encoders), "automm")
        engine.fit(frame[:16], frame[16:20], facets_of("text+image"), GAP)
        engine.save(folder / name)


def test_a_model_has_the_same_bytes_whatever_its_process_has_trained_before(
    frame: pd.DataFrame, encoders: Path, tmp_path: Path
) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(train_in_a_row, frame, encoders, tmp_path).result()
    first, second = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("first", "second")
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_it_saves_nothing_that_only_resumes_a_training(
    fit: Callable[..., AutoMM], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[set[str]] = []
    save = AutoMMModelCheckpointIO.save_checkpoint

    def noted(self: Any, checkpoint: dict[str, Any], path: str, **rest: Any) -> None:
        saved.append(set(checkpoint))
        assert Path(path).name != "last.ckpt"
        save(self, checkpoint, path, **rest)

    monkeypatch.setattr(AutoMMModelCheckpointIO, "save_checkpoint", noted)
    fit("text")
    assert len(saved) == 1
    assert "optimizer_states" not in saved[0]


@pytest.mark.parametrize("damage", ["cut short", "no picture", "missing"])
def test_a_broken_picture_stops_training_and_is_named(
    damage: str, fit: Callable[..., AutoMM], frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = Path(frame.loc[3, "image"])
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut short" else b"not a picture")
    with pytest.raises(UserError, match=r"m03.*image_03\.png"):
        fit("image")
    assert not (tmp_path / "model").exists()


def test_a_picture_that_breaks_after_training_stops_prediction(
    fit: Callable[..., AutoMM], frame: pd.DataFrame
) -> None:
    engine = fit("image")
    path = Path(frame.loc[21, "image"])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="m21"):
        engine.predict(frame)


def test_a_row_that_autogluon_would_replace_stops_training(
    fit: Callable[..., AutoMM], monkeypatch: pytest.MonkeyPatch, frame: pd.DataFrame
) -> None:
    monkeypatch.setattr("polyfacet.training.engines.automm.engine.check_pictures", lambda *_: None)
    Path(frame.loc[3, "image"]).write_bytes(b"not a picture")
    with pytest.raises(RuntimeError, match="replace"):
        fit("image")


def test_a_moved_model_predicts_without_its_encoders(
    frame: pd.DataFrame, encoders: Path, tmp_path: Path
) -> None:
    own_encoders = tmp_path / "encoders"
    shutil.copytree(encoders, own_encoders)
    facets = facets_of("text+image+graph+compimage")
    engine = AutoMM(ONE_EPOCH, Resources(seed=1, threads=1, encoders=own_encoders), "automm")
    engine.fit(frame[:16], frame[16:20], facets, GAP)
    engine.save(tmp_path / "model")
    expected = engine.predict(frame)
    shutil.rmtree(own_encoders)
    moved = shutil.move(tmp_path / "model", tmp_path / "elsewhere")
    np.testing.assert_array_equal(load(moved).predict(frame), expected)
    for name in ("config.yaml", "assets.json"):
        assert str(tmp_path) not in (Path(moved) / name).read_text()


def test_each_picture_column_has_an_encoder_that_sees_it_alone(
    fit: Callable[..., AutoMM], frame: pd.DataFrame
) -> None:
    engine = fit("image+compimage")
    assert seen_by(engine) == {"timm_image_structure": ["image"], "timm_image_composition": ["compimage"]}
    swapped = frame.rename(columns={"image": "compimage", "compimage": "image"})
    assert not np.allclose(engine.predict(frame), engine.predict(swapped))


def test_the_views_of_a_structure_share_an_encoder_that_sees_them_all(
    frame: pd.DataFrame, encoders: Path, tmp_path: Path
) -> None:
    facets = facets_of("image+compimage")
    views = frame.rename(columns={"image": "image_a"}).assign(image_b=frame["image"][::-1].to_numpy())
    engine = AutoMM(ONE_EPOCH, Resources(seed=1, threads=1, encoders=encoders), "automm")
    engine.fit(views[:16], views[16:20], facets, GAP)
    assert seen_by(engine)["timm_image_structure"] == ["image_a", "image_b"]
    predicted = engine.predict(views)
    swapped = views.rename(columns={"image_a": "image_b", "image_b": "image_a"})
    np.testing.assert_allclose(engine.predict(swapped), predicted, atol=1e-5)
    assert not np.allclose(engine.predict(views.assign(image_b=views["image_a"])), predicted)


def seen_by(engine: AutoMM) -> dict[str, list[str]]:
    """Name the picture columns that each image model looks at."""
    processors = engine._predictor._learner._data_processors["image"]
    return {each.prefix: list(each.columns) for each in processors}


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_are_predicted_by_name(
    frame: pd.DataFrame, encoders: Path, tmp_path: Path, n_classes: int
) -> None:
    names = np.array(PHASE.classes[:n_classes], dtype=object)
    signal = np.stack(frame["graph"])[:, 0]
    classes = names[np.digitize(signal, np.quantile(signal, np.arange(1, n_classes) / n_classes))]
    rows = frame.assign(phase=classes)
    settings = {"max_epochs": 20, "batch_size": 8, "learning_rate": 0.01}
    engine = create("automm", settings, Resources(1, encoders=encoders))
    engine.fit(rows, rows, (GRAPH,), PHASE)
    engine.save(tmp_path / "model")
    predicted = engine.predict(rows)
    assert predicted.dtype == object
    assert np.mean(predicted == classes) > 0.8
    loaded = load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(rows), predicted)


@pytest.mark.parametrize(
    ("train", "valid", "message"),
    [("fcc", "fcc", "of one class, 'fcc'"), (["fcc", "bcc"] * 8, "hcp", "without hcp")],
)
def test_classes_that_cannot_be_learned_are_named(frame, encoders: Path, tmp_path, train, valid, message):
    engine = AutoMM(ONE_EPOCH, Resources(seed=1, encoders=encoders), "automm")
    rows = [frame[:16].assign(phase=train), frame[16:].assign(phase=valid)]
    with pytest.raises(EngineError, match=f"phase.*{message}"):
        engine.fit(*rows, (GRAPH,), PHASE)


def test_training_minimises_absolute_errors(fit: Callable[..., AutoMM]) -> None:
    learner = fit("graph")._predictor._learner
    loss, _ = learner.get_loss_func_per_run(learner._config)
    assert type(loss).__name__ == "L1Loss"
    assert learner.validation_metric == "mean_absolute_error"


def test_an_incomplete_encoder_raises_user_error(frame: pd.DataFrame, encoders: Path, tmp_path: Path) -> None:
    own_encoders = tmp_path / "encoders"
    shutil.copytree(encoders, own_encoders)
    (own_encoders / "text" / "model.safetensors").unlink()
    engine = AutoMM(ONE_EPOCH, Resources(seed=1, threads=1, encoders=own_encoders), "automm")
    with pytest.raises(UserError, match=r"model\.safetensors"):
        engine.fit(frame[:16], frame[16:20], (TEXT,), GAP)


@pytest.mark.parametrize(("facet", "checkpoint"), [(TEXT, "electra"), (IMAGE, "mobilenetv3")])
def test_a_hub_out_of_reach_names_the_checkpoint(
    facet: Facet, checkpoint: str, frame: pd.DataFrame, tmp_path: Path, unreachable_hub: None
) -> None:
    engine = AutoMM(ONE_EPOCH, Resources(seed=1, threads=1), "automm")
    with pytest.raises(UserError, match=checkpoint) as error:
        engine.fit(frame[:16], frame[16:20], (facet,), GAP)
    assert "source: local" in str(error.value)


@pytest.fixture
def unreachable_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache and no network, whatever this machine has."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def test_it_keeps_the_contract_of_engines(tmp_path: Path) -> None:
    rows = synthetic_cells(40)
    check_engine("automm", {"max_epochs": 1}, rows, (GRAPH,), (STRENGTH, ALLOY_PHASE), tmp_path)
