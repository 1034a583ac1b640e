"""Write and read AutoGluon's predictors without pickles: JSON, YAML and safetensors.

AutoGluon saves its preprocessing as pickles, which run code when they are read, and weights as a PyTorch
checkpoint.  What it needs to predict is little: the names of the columns, the statistics that numbers are
filled and scaled with, the names of the classes or the scale of the target, and how pictures are normalised.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from autogluon.core.metrics import get_metric
from autogluon.multimodal import MultiModalPredictor
from autogluon.multimodal.constants import IMAGE, MODEL_CHECKPOINT
from autogluon.multimodal.data import MultiModalFeaturePreprocessor, create_fusion_data_processors
from autogluon.multimodal.data.process_image import ImageProcessor
from autogluon.multimodal.models import create_fusion_model, get_model_postprocess_fn
from autogluon.multimodal.optim import get_loss_func
from autogluon.multimodal.utils import get_local_pretrained_config_paths
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from polyfacet.runtime.files import write_text
from polyfacet.runtime.upstream import written_for
from polyfacet.training.engines.automm.autogluon_compat import ColumnImageProcessor, FacetLearner, use_learner
from polyfacet.training.engines.automm.saved import ASSETS_FILE, CONFIG_FILE

written_for(__name__, "autogluon-multimodal", "1.6.3")

WEIGHTS_FILE, FITTED_FILE = "weights.safetensors", "preprocessing.json"
PICKLES = ("df_preprocessor.pkl", "data_processors.pkl", "eval_metric.pkl")
# Prefix of all weights in AutoGluon's checkpoint.
PREFIX = "model."
# Names of columns by kind, as the preprocessor keeps them.
COLUMNS = ("text_feature_names", "numerical_feature_names", "image_feature_names")


def replace_pickles(folder: Path, predictor: MultiModalPredictor) -> None:
    """Replace the pickles and the checkpoint in the folder of a trained predictor.

    Parameters
    ----------
    folder
        Folder in which AutoGluon has saved it.
    predictor
        The same predictor.
    """
    learner = predictor._learner
    checkpoint = torch.load(folder / MODEL_CHECKPOINT, map_location="cpu", weights_only=True)["state_dict"]
    # Copies, as safetensors does not store memory that tensors share.
    weights = {name.removeprefix(PREFIX): tensor.contiguous().clone() for name, tensor in checkpoint.items()}
    save_file(weights, folder / WEIGHTS_FILE)
    fitted = {
        **_fitted_columns(learner._df_preprocessor),
        "pictures": [_picture_settings(each) for each in learner._data_processors.get(IMAGE, [])],
    }
    write_text(folder / FITTED_FILE, json.dumps(fitted, indent=1) + "\n")
    for name in (*PICKLES, MODEL_CHECKPOINT):
        (folder / name).unlink()


def read_predictor(folder: Path, verbosity: int) -> MultiModalPredictor:
    """Read a predictor that can predict; runs no code from its folder."""
    config = OmegaConf.load(folder / CONFIG_FILE)
    config = get_local_pretrained_config_paths(config, str(folder))
    assets = json.loads((folder / ASSETS_FILE).read_text(encoding="utf-8"))
    fitted = json.loads((folder / FITTED_FILE).read_text(encoding="utf-8"))
    label = assets["label_column"]
    learner = FacetLearner(label=label, problem_type=assets["problem_type"], verbosity=verbosity)
    preprocessor = MultiModalFeaturePreprocessor(config.data, assets["column_types"], label)
    _restore_columns(preprocessor, fitted)
    model = create_fusion_model(
        config=config,
        num_classes=assets["output_shape"],
        num_numerical_columns=len(preprocessor.numerical_feature_names),
        num_categories=preprocessor.categorical_num_categories,
        numerical_fill_values=preprocessor.numerical_fill_values,
        pretrained=False,
    )
    learner._config, learner._model, learner._df_preprocessor = config, model, preprocessor
    learner._load_state_dict(
        state_dict={f"{PREFIX}{name}": value for name, value in load_file(folder / WEIGHTS_FILE).items()},
        strict=config.optim.peft is None,
    )
    learner._data_processors = _processors(config, model, fitted["pictures"])
    learner._column_types, learner._output_shape = assets["column_types"], assets["output_shape"]
    learner._eval_metric_name = assets["eval_metric_name"]
    learner._eval_metric_func = get_metric(assets["eval_metric_name"])
    learner._validation_metric_name, learner._minmax_mode = (
        assets["validation_metric_name"],
        assets["minmax_mode"],
    )
    learner._save_path, learner._fit_called = str(folder), True
    learner._model_postprocess_fn = get_model_postprocess_fn(
        problem_type=assets["problem_type"],
        loss_func=get_loss_func(
            problem_type=assets["problem_type"],
            mixup_active=False,
            loss_func_name=config.optim.loss_func,
            config=config.optim,
            num_classes=assets["output_shape"],
        ),
    )
    learner._config = learner.update_strategy_by_env(config)
    predictor = MultiModalPredictor(label=label, verbosity=verbosity)
    use_learner(predictor, learner)
    return predictor


def _fitted_columns(preprocessor: MultiModalFeaturePreprocessor) -> dict[str, Any]:
    """Return what the preprocessor has fitted."""
    numbers = {
        name: _statistics(preprocessor._feature_generators[name])
        for name in preprocessor.numerical_feature_names
    }
    scaler = preprocessor.label_scaler
    is_number = hasattr(scaler, "n_samples_seen_")
    return {
        "columns": {name: getattr(preprocessor, f"_{name}") for name in COLUMNS},
        "ignored": sorted(preprocessor._ignore_columns_set),
        "numbers": numbers,
        "label": _scale(scaler) if is_number else None,
        "classes": None if is_number else list(map(str, preprocessor.label_generator.classes_)),
    }


def _restore_columns(preprocessor: MultiModalFeaturePreprocessor, fitted: Mapping[str, Any]) -> None:
    """Put a new preprocessor into the state of the fitted one."""
    for name in COLUMNS:
        setattr(preprocessor, f"_{name}", list(fitted["columns"][name]))
    preprocessor._ignore_columns_set = set(fitted["ignored"])
    for name, statistics in fitted["numbers"].items():
        pipeline = preprocessor._feature_generators[name]
        # The mean of one number is this number.
        pipeline.named_steps["imputer"].fit([[statistics["filled_with"]]])
        _restore_scale(pipeline.named_steps["scaler"], statistics)
    if fitted["classes"] is None:
        _restore_scale(preprocessor.label_scaler, fitted["label"])
    else:
        preprocessor.label_generator.fit(pd.Series(fitted["classes"]))
    preprocessor._fit_x_called = preprocessor._fit_y_called = True


def _statistics(pipeline: Pipeline) -> dict[str, Any]:
    filled_with = float(pipeline.named_steps["imputer"].statistics_[0])
    return {"filled_with": filled_with, **_scale(pipeline.named_steps["scaler"])}


def _scale(scaler: StandardScaler) -> dict[str, Any]:
    """Return mean and scale of one column; None where a scaler leaves the column as it is."""
    return {
        name: None if getattr(scaler, f"{name}_") is None else float(getattr(scaler, f"{name}_")[0])
        for name in ("mean", "var", "scale")
    }


def _restore_scale(scaler: StandardScaler, statistics: Mapping[str, Any]) -> None:
    for name in ("mean", "var", "scale"):
        value = statistics[name]
        setattr(scaler, f"{name}_", None if value is None else np.array([value]))
    scaler.n_features_in_, scaler.n_samples_seen_ = 1, 1


def _picture_settings(processor: ImageProcessor) -> dict[str, Any]:
    """Return how an image processor reads pictures: an encoder's checkpoint decides this, not its name."""
    return {
        "model": processor.prefix,
        "size": int(processor.size),
        "mean": [float(value) for value in processor.mean],
        "std": [float(value) for value in processor.std],
        "columns": list(getattr(processor, "columns", [])) or None,
    }


def _processors(config: Any, model: nn.Module, pictures: list[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Create the data processors of a model, with the settings of the trained ones."""
    parts = getattr(model, "model", None)
    models: dict[Any, Any] = {
        each.prefix: each for each in (parts if isinstance(parts, nn.ModuleList) else [model])
    }
    for settings in pictures:
        encoder = models[settings["model"]]
        encoder.image_size, encoder.image_mean, encoder.image_std = (
            settings[name] for name in ("size", "mean", "std")
        )
    processors: dict[str, list[Any]] = create_fusion_data_processors(config=config, model=model)
    columns = {settings["model"]: settings["columns"] for settings in pictures if settings["columns"]}
    for processor in processors.get(IMAGE, []):
        if processor.prefix in columns:
            processor.__class__ = ColumnImageProcessor
            processor.columns = columns[processor.prefix]
    return {kind: each for kind, each in processors.items() if each}
