"""AutoGluon settings that a configuration overrides: checked in every cell, used where they apply."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, get_args

from autogluon.multimodal.utils.config import get_config, make_overrides_backward_compatible
from omegaconf import DictConfig, OmegaConf

from polyfacet.runtime.errors import UserError
from polyfacet.training.encoders.own_checkpoints import flat
from polyfacet.training.engines.automm.override_values import as_read, kind_of
from polyfacet.training.engines.automm.selection import Method

WHERE = "settings.hyperparameters"
AVERAGING = "optim.top_k_average_method"


def overrides_of(
    given: Mapping[str, Any], models: Sequence[str], all_models: Sequence[str]
) -> dict[str, Any]:
    """Select the overrides that apply to a cell.

    Parameters
    ----------
    given
        AutoGluon's names (``optim.lr``, ``model.hf_text.checkpoint_name``) or nested mappings of them.
    models
        Names of the cell's models.
    all_models
        Names of the models that any cell can have.

    Returns
    -------
    dict
        Without overrides that concern the models of other cells.

    Raises
    ------
    UserError
        If a name is not one of AutoGluon's or concerns a model that no cell can have, or a value is not of
        the type of AutoGluon's default.
    """
    named = make_overrides_backward_compatible(dict(flat(given)))
    for name, value in named.items():
        _check(name, value, tuple(all_models))
    others = {f"model.{model}" for model in all_models if model not in models}
    return {name: value for name, value in named.items() if ".".join(name.split(".")[:2]) not in others}


def _check(name: str, value: Any, all_models: tuple[str, ...]) -> None:
    if name == "model.names":
        raise UserError(f"{WHERE}: the models follow from the facets. Remove model.names.")
    known = default_settings(all_models)
    if name not in known:
        raise UserError(f"{WHERE}: {_unknown(name, known, all_models)}")
    if name == AVERAGING and value not in get_args(Method):
        raise UserError(f"{WHERE}: {name} is {value!r}, not one of {', '.join(get_args(Method))}")
    _check_value(name, value, known)


def _unknown(name: str, known: Mapping[str, Any], all_models: tuple[str, ...]) -> str:
    parts = name.split(".")
    if parts[0] == "model" and len(parts) > 1 and parts[1] not in all_models:
        return (
            f"{name} concerns a model that no combination of facets has; the models are "
            f"{', '.join(all_models)}"
        )
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"AutoGluon has no setting {name}{hint}"


def _check_value(name: str, value: Any, known: Mapping[str, Any]) -> None:
    kind = kind_of(name, known[name])
    try:
        read = as_read(name, value)
    except ValueError as error:
        raise UserError(f"{WHERE}: {name} is {value!r}: {error}") from error
    if kind and not kind.holds(read):
        example = name
        while isinstance(known[example], DictConfig):
            example = next(each for each in known if each.startswith(f"{example}."))
        default = json.dumps(known[example], default=list)
        raise UserError(
            f"{WHERE}: {name} is {value!r}, not {kind.words}. Write for example\n      {example}: {default}"
        )


@lru_cache(maxsize=4)
def default_settings(models: tuple[str, ...]) -> Mapping[str, Any]:
    """Collect AutoGluon's values of all settings, sections included, for a cell with these models."""
    config = get_config(problem_type="regression", overrides={"model.names": list(models)})
    return dict(_settings(config))


def _settings(config: DictConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name in map(str, config):
        value = None if OmegaConf.is_missing(config, name) else config[name]
        yield f"{prefix}{name}", value
        if isinstance(value, DictConfig):
            yield from _settings(value, f"{prefix}{name}.")
