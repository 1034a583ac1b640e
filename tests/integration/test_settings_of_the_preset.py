"""The configuration of Costa (2024) trains as AutoGluon's preset does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from autogluon.multimodal import MultiModalPredictor
from autogluon.multimodal.utils import get_config
from omegaconf import OmegaConf
from PIL import Image
from project import PROJECT
from torch.nn import MSELoss
from torchmetrics import MeanSquaredError

from make_local_encoders import main as make_local_encoders
from polyfacet.config.completion import complete_config
from polyfacet.facets.registry import facets_of, grid
from polyfacet.materials.crystal_objectives import GAP
from polyfacet.training.encoders.own_checkpoints import flat
from polyfacet.training.engines.automm.autogluon_compat import FacetLearner
from polyfacet.training.engines.automm.engine import AutoMM
from polyfacet.training.engines.automm.hyperparameters import hyperparameters_of, model_names
from polyfacet.training.engines.automm.settings import AutoMMSettings
from polyfacet.training.engines.base import Resources

DIFFERENT = {
    # What a run needs to be reproducible, and what depends on the machine.
    "env.deterministic",
    "env.num_gpus",
    "env.num_workers",
    "env.num_workers_inference",
    "env.precision",
    # Needs data that NLTK would download in each training.
    "model.hf_text.text_trivial_aug_maxscale",
}


@pytest.fixture(scope="module")
def settings() -> AutoMMSettings:
    config = complete_config(yaml.safe_load((PROJECT / "config" / "costa2024.yaml").read_text()))
    return AutoMMSettings(**config["methods"]["automm"]["settings"])


def values(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values with which AutoGluon trains."""
    config = get_config(problem_type="regression", presets="high_quality", overrides=overrides)
    return dict(flat(OmegaConf.to_container(config)))


@pytest.mark.parametrize("combination", grid("paper"))
def test_the_other_values_are_those_of_the_preset(combination: str, settings: AutoMMSettings) -> None:
    facets = facets_of(combination)
    overrides = hyperparameters_of(facets, settings, None)
    ours, theirs = values(overrides), values({"model.names": overrides["model.names"]})
    assert ours.keys() == theirs.keys()
    assert {name for name in ours if ours[name] != theirs[name]} <= DIFFERENT


def test_the_models_are_those_of_the_preset(settings: AutoMMSettings) -> None:
    preset = get_config(problem_type="regression", presets="high_quality").model.names
    ours = model_names(facets_of("text+image+graph"), settings)
    assert {name.removesuffix("_structure") for name in ours} == set(preset) - {"document_transformer"}


def test_the_loss_and_the_metric_are_autogluons_own(settings: AutoMMSettings) -> None:
    learner_class, metric = AutoMM(settings, Resources(seed=1))._learner_and_metric(GAP.objective)
    assert learner_class is FacetLearner
    problem = {"label": "gap", "problem_type": "regression"}
    ours, theirs = learner_class(**problem, eval_metric=metric), MultiModalPredictor(**problem)._learner
    config = get_config(problem_type="regression")
    for learner in (ours, theirs):
        learner.infer_validation_metric()
        assert learner._minmax_mode == "min"
        validation, _ = learner.get_validation_metric_per_run()
        assert isinstance(validation, MeanSquaredError)
        assert not validation.squared
        assert isinstance(learner.get_loss_func_per_run(config)[0], MSELoss)
        assert learner._eval_metric_func.name == "root_mean_squared_error"


@pytest.mark.parametrize("combination", ["graph", "text+image+graph"])
def test_the_settings_train_with_local_encoders(
    combination: str, settings: AutoMMSettings, tmp_path: Path
) -> None:
    sizes = {"architecture": "edgenext_xx_small", "size_px": 32}
    words = {"hidden_size": 32, "n_layers": 1, "n_heads": 2}
    make_local_encoders(tmp_path / "local", seed=0, text=words, image=sizes, compimage=sizes)
    frame = frame_of_cells(tmp_path)
    short = settings.model_copy(update={"max_epochs": 1})
    engine = AutoMM(short, Resources(seed=1, encoders=tmp_path / "local"), "automm")
    engine.fit(frame[:16], frame[16:20], facets_of(combination), GAP.objective)
    assert np.isfinite(engine.predict(frame)).all()


def frame_of_cells(folder: Path) -> pd.DataFrame:
    """Return made-up materials with pictures of random colours."""
    generator = np.random.default_rng(5)
    rows = []
    for i in range(24):
        picture = folder / f"{i:02d}.png"
        Image.fromarray(generator.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(picture)
        embedding = generator.normal(size=8).astype(np.float32)
        row = {"mat_id": f"m{i:02d}", "text": f"Ac {i + 2}", "image": str(picture), "graph": embedding}
        rows.append({**row, "gap": float(i % 3)})
    return pd.DataFrame(rows)
