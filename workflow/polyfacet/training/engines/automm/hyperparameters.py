"""AutoGluon's hyperparameters for a combination of facets: only those of the models it needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS
from polyfacet.runtime.errors import UserError
from polyfacet.training.encoders.local import checkpoint_of
from polyfacet.training.encoders.own_checkpoints import encoder_model, local_folder, own_checkpoints
from polyfacet.training.engines.automm.override_values import as_read
from polyfacet.training.engines.automm.overrides import WHERE, default_settings, overrides_of
from polyfacet.training.engines.automm.settings import AutoMMSettings, Range, Search

FUSION_MODEL = "fusion_mlp"
# Rows of an optimizer step, and rows that go through the network at once, of which a step has a whole number.
BATCH_SIZE, AT_ONCE = "env.batch_size", "env.per_gpu_batch_size"

# AutoGluon's names of what determines its schedule.
SCHEDULE = ("optim.lr_schedule", "optim.warmup_steps", "optim.end_lr")
# Suited to untrained encoders on some hundred rows, which converge in 20 to 60 epochs.
LOCAL_TRAINING: Mapping[str, Any] = {
    "optim.max_epochs": 100,
    "optim.lr": 1e-3,
    "optim.lr_choice": "single_stage",
    "optim.patience": 10,
    AT_ONCE: 32,
    BATCH_SIZE: 32,
}


def model_names(facets: Sequence[Facet], settings: AutoMMSettings) -> list[str]:
    """List the models of a combination; if there are several, they are fused."""
    names = list(dict.fromkeys(encoder_model(facet) or settings.tabular_model for facet in facets))
    return [*names, FUSION_MODEL] if len(names) > 1 else names


def hyperparameters_of(
    facets: Sequence[Facet],
    settings: AutoMMSettings,
    encoders: Path | None,
    checkpoints: Mapping[str, str | None] = MappingProxyType({}),
) -> dict[str, Any]:
    """Build the hyperparameters of a combination.

    Parameters
    ----------
    facets
        Facets of the combination.
    settings
        Settings of the engine.
    encoders
        Folder of local checkpoints; None leaves the checkpoints to the preset.
    checkpoints
        Facet to the checkpoint used instead.

    Raises
    ------
    UserError
        If a local checkpoint is incomplete, or a hyperparameter is not one of AutoGluon's.
    """
    models = model_names(facets, settings)
    values: dict[str, Any] = {"model.names": models}
    own = own_checkpoints(facets, checkpoints, settings.hyperparameters)
    if encoders is not None:
        values |= LOCAL_TRAINING
        if any(facet in own for facet in facets):
            # This would undo what the user's own checkpoint has learned.
            del values["optim.lr"], values["optim.lr_choice"]
        if any(facet.kind == "text" and facet not in own for facet in facets):
            # An untrained first token has not learned to represent its sentence.
            values["model.hf_text.pooling_mode"] = "mean"
    values |= _input_choices(facets, settings) | _machine_choices() | _named(settings)
    all_models = model_names(tuple(FACETS.all().values()), settings)
    overrides = overrides_of(settings.hyperparameters, models, all_models)
    _check_schedule(settings, overrides)
    values |= overrides
    if BATCH_SIZE in overrides and AT_ONCE not in overrides:
        usual = values.get(AT_ONCE, default_settings(tuple(all_models))[AT_ONCE])
        values[AT_ONCE] = _rows_at_once(as_read(BATCH_SIZE, overrides[BATCH_SIZE]), usual)
    for facet in facets:
        model = encoder_model(facet)
        if model and facet in own:
            values[f"model.{model}.checkpoint_name"] = str(local_folder(facet, own[facet]) or own[facet])
        elif model and encoders is not None:
            values[f"model.{model}.checkpoint_name"] = str(checkpoint_of(encoders, facet).resolve())
    return values


def search_of(facets: Sequence[Facet], settings: AutoMMSettings) -> Search | None:
    """Return what the search of a method tries out in a cell; None if nothing of it applies there.

    Raises
    ------
    UserError
        If a hyperparameter is not one of AutoGluon's, or a candidate is wrong.
    """
    if settings.search is None:
        return None
    models, all_models = model_names(facets, settings), model_names(tuple(FACETS.all().values()), settings)
    space = {
        name: of
        for name, of in settings.search.space.items()
        if all(overrides_of({name: value}, models, all_models) for value in _extremes(of))
    }
    _check_schedule(settings, space)
    return settings.search.model_copy(update={"space": space}) if space else None


def _extremes(of: Range | list[Any]) -> list[Any]:
    """List the candidates of a hyperparameter, or the ends of its range."""
    return [of.low, of.high] if isinstance(of, Range) else of


def _check_schedule(settings: AutoMMSettings, overrides: Mapping[str, Any]) -> None:
    """Reject settings of AutoGluon's schedule where it is not used."""
    unused = [name for name in SCHEDULE if name in overrides]
    if settings.schedule == "adaptive" and unused:
        raise UserError(
            f"{WHERE}: {' and '.join(unused)} would have no effect, because the learning rate falls when "
            "validation stops improving. Remove it, or write\n      schedule: autogluon"
        )


def _rows_at_once(batch_size: int, usual: int) -> int:
    """Divide a batch into equal parts of at most the usual size: AutoGluon never makes smaller steps."""
    return next(n for n in range(min(batch_size, usual), 0, -1) if batch_size % n == 0)


def _input_choices(facets: Sequence[Facet], settings: AutoMMSettings) -> dict[str, Any]:
    """Prevent augmentation from changing the meaning of an input.

    Colours encode elements, so they are kept.  A structure picture may be flipped; in a composition image the
    position of a pixel has a meaning, as does each word of a composition text.
    """
    values: dict[str, Any] = {}
    for facet in facets:
        if facet.kind == "image":
            flips = ["random_horizontal_flip", "random_vertical_flip"]
            augment = facet.may_be_flipped and settings.augment_pictures
            model = f"model.{encoder_model(facet)}"
            values[f"{model}.train_transforms"] = ["resize_to_square", *(flips if augment else [])]
            values[f"{model}.val_transforms"] = ["resize_to_square"]
        if facet.kind == "text":
            values["model.hf_text.text_trivial_aug_maxscale"] = 0.0
    return values


def _machine_choices() -> dict[str, Any]:
    """Make a run reproducible: one device, no worker processes, full precision on a CPU."""
    on_gpu = torch.cuda.is_available()
    return {
        "env.num_gpus": int(on_gpu),
        "env.precision": "16-mixed" if on_gpu else "32-true",
        "env.num_workers": 0,
        "env.num_workers_inference": 0,
        "env.deterministic": True,
        # On small data, a fraction of an epoch is less than a batch.
        "optim.val_check_interval": 1.0,
    }


def _named(settings: AutoMMSettings) -> dict[str, Any]:
    named = {
        "optim.max_epochs": settings.max_epochs,
        "optim.lr": settings.learning_rate,
        "optim.patience": settings.patience,
        AT_ONCE: settings.batch_size,
        BATCH_SIZE: settings.batch_size,
    }
    return {name: value for name, value in named.items() if value is not None}
