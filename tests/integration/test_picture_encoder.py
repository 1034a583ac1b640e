"""The encoder of pictures: it learns, resumes, and does not depend on threads or on other materials."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from polyfacet.encodings import picture_training
from polyfacet.encodings.base import Fitting
from polyfacet.encodings.pictures import PictureEncoder
from polyfacet.networks import loop
from polyfacet.runtime.errors import UserError

N = 40
COLUMNS = ["image"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Draw discs, whose grey level and radius are what can be learned."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(1)
    table = pd.DataFrame({"mat_id": [f"m{i:02d}" for i in range(N)], "formula": "NaCl"})
    table["grey"], table["radius"] = random.uniform(0, 200, N), random.uniform(5, 30, N)
    distance = np.hypot(*(np.indices((70, 70)) - 35))
    for name, grey, radius in table[["mat_id", "grey", "radius"]].itertuples(index=False):
        pixels = np.where(distance < radius, grey, 255).astype(np.uint8)
        Image.fromarray(pixels).convert("RGB").save(folder / f"{name}.png")
    return table.assign(image=[str(folder / f"{name}.png") for name in table["mat_id"]])


def fitting(rows: pd.DataFrame, state: Path | None = None, **options) -> Fitting:
    targets = rows.set_index("mat_id")[["grey", "radius"]].assign(constant=1.0)
    groups = {mat_id: mat_id for mat_id in rows["mat_id"]}
    return Fitting(rows, COLUMNS, groups, targets, seed=3, may_be_flipped=True, state=state, **options)


@pytest.fixture(scope="module")
def encoder(rows: pd.DataFrame) -> PictureEncoder:
    return PictureEncoder.fit(fitting(rows))


def test_all_properties_that_vary_are_learned_together(encoder: PictureEncoder):
    training = encoder.record["training"]
    assert (training["n_train"], training["n_valid"]) == (32, 8)
    assert training["error"] < 0.9
    assert "all 32 known training values are 1" in training["left_out"]["constant"]
    assert not encoder.is_control


def test_numbers_are_those_of_a_saved_encoder_and_of_single_materials(
    encoder: PictureEncoder, rows: pd.DataFrame, tmp_path: Path
):
    found = encoder.encode(rows, COLUMNS)
    assert found.shape == (N, 128)
    encoder.save(tmp_path / "encoder.safetensors")
    loaded = PictureEncoder.load(tmp_path / "encoder.safetensors")
    np.testing.assert_array_equal(loaded.encode(rows[::-1], COLUMNS)[::-1], found)
    np.testing.assert_array_equal(loaded.encode(rows[3:4], COLUMNS)[0], found[3])


def test_several_views_are_averaged(encoder: PictureEncoder, rows: pd.DataFrame):
    views = pd.DataFrame(
        {"mat_id": ["new"], "image_a": [rows["image"][0]], "image_b": [rows["image"][1]]}, index=[0]
    )
    singly = encoder.encode(rows[:2].assign(mat_id=["x", "y"]), COLUMNS)
    together = encoder.encode(views, ["image_a", "image_b"])
    np.testing.assert_allclose(together[0], singly.mean(axis=0), atol=1e-5)


def test_an_interrupted_training_on_any_number_of_threads_ends_the_same(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(picture_training, "EPOCHS", 4)
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)
    whole = PictureEncoder.fit(fitting(rows)).encode(rows, COLUMNS)
    run, calls = picture_training._Epoch.run, []

    def interrupted(self: picture_training._Epoch, epoch: int) -> bool:
        calls.append(epoch)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(self, epoch)

    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(picture_training._Epoch, "run", interrupted)
            with pytest.raises(KeyboardInterrupt):
                PictureEncoder.fit(fitting(rows, tmp_path / "state"))
        calls.clear()
        resumed = PictureEncoder.fit(fitting(rows, tmp_path / "state"))
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(resumed.encode(rows, COLUMNS), whole)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows[:19], "there are 19 training materials with a picture, and training needs 20"),
        (lambda rows: rows.assign(grey=1.0, radius=np.nan), "no training value is known"),
    ],
)
def test_an_encoder_that_cannot_learn_is_called_a_control(rows: pd.DataFrame, change, reason: str):
    encoder = PictureEncoder.fit(fitting(change(rows)))
    assert encoder.is_control
    (note,) = encoder.record["notes"]
    assert "untrained, a control" in note
    assert reason in note
    assert np.isfinite(encoder.encode(rows, COLUMNS)).all()


def test_a_training_that_diverges_leaves_a_control(rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(picture_training, "LEARNING_RATE", 1e30)
    encoder = PictureEncoder.fit(fitting(rows))
    assert encoder.is_control
    assert "diverged" in encoder.record["notes"][0]
    assert np.isfinite(encoder.encode(rows, COLUMNS)).all()


def test_a_missing_picture_is_named(encoder: PictureEncoder, rows: pd.DataFrame, tmp_path: Path):
    gone = rows[:1].assign(mat_id="gone", image=str(tmp_path / "gone.png"))
    with pytest.raises(UserError, match=r"material gone: picture .*gone.png is missing"):
        encoder.encode(gone, COLUMNS)
