"""TabICL with weights in safetensors instead of a checkpoint, which is a pickle, and without downloads.

Qu et al., "TabICL: A Tabular Foundation Model for In-Context Learning on Large Data" (2025).
"""

import json
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch
from safetensors.torch import save_file
from tabicl import TabICLClassifier, TabICLRegressor
from tabicl._model.tabicl import TabICL

from polyfacet.networks.tensor_files import read_tensors
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.upstream import written_for

written_for(__name__, "tabicl", "2.2.0")

CONFIG_KEY = "config"


def convert_checkpoint(checkpoint: Path, weights: Path, *, of_classes: bool) -> None:
    """Write the weights of a checkpoint as safetensors.

    Raises
    ------
    UserError
        If the file is not a checkpoint of TabICL, or predicts numbers instead of classes, or vice versa.
    """
    if not is_zipfile(checkpoint):
        # PyTorch would report a truncated file as an invalid argument of the operating system.
        raise UserError(f"{checkpoint} is not a checkpoint of TabICL, or it is truncated: copy it again")
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        config, tensors = dict(content["config"]), content["state_dict"]
        network = TabICL(**config)
        network.load_state_dict(tensors)
    except Exception as error:  # whatever PyTorch and TabICL raise for other files
        raise_machine_failure(error)
        raise UserError(f"{checkpoint} is not a checkpoint of TabICL ({error!s:.200})") from error
    if (network.max_classes > 0) != of_classes:
        has, named = ("classes", "checkpoint") if network.max_classes else ("numbers", "class_checkpoint")
        raise UserError(f"{checkpoint} predicts {has}: the setting `{named}` must name the other checkpoint")
    copies = {name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()}
    save_file(copies, weights, metadata={CONFIG_KEY: json.dumps(config, sort_keys=True)})


def _load(estimator: Any) -> None:
    """Set the network of an estimator, whose ``model_path`` is a file of `convert_checkpoint`."""
    estimator.model_config_, tensors = read_tensors(Path(estimator.model_path), CONFIG_KEY, "pt")
    estimator.model_path_ = estimator.model_path
    estimator.model_ = TabICL(**estimator.model_config_)
    estimator.model_.load_state_dict(tensors)
    estimator.model_.eval()


class Regressor(TabICLRegressor):
    """Predicts numbers."""

    def _load_model(self) -> None:
        _load(self)


class Classifier(TabICLClassifier):
    """Predicts classes."""

    def _load_model(self) -> None:
        _load(self)
