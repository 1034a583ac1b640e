"""Settings of AutoGluon that a configuration overrides: checked in every cell, used where they apply."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, get_args

from autogluon.multimodal.utils.config import get_config, make_overrides_backward_compatible
from omegaconf import DictConfig, OmegaConf

from polyfacet.runtime.errors import UserError
from polyfacet.training.encoders.own_checkpoints import flat
from polyfacet.training.engines.automm.selection import Method

WHERE = "settings.hyperparameters"
AVERAGING = "optim.top_k_average_method"


def overrides_of(
    given: Mapping[str, Any], models: Sequence[str], all_models: Sequence[str]
) -> dict[str, Any]:
    """Select the overrides that concern a cell.

    Parameters
    ----------
    given
        AutoGluon's names (``optim.lr``, ``model.hf_text.checkpoint_name``) or nested mappings of these.
    models
        Names of the cell's models.
    all_models
        Names of the models that any cell can have.

    Returns
    -------
    dict
        Without what concerns another cell's models.

    Raises
    ------
    UserError
        If a name is not one of AutoGluon's, or concerns a model that no cell can have.
    """
    named = make_overrides_backward_compatible(dict(flat(given)))
    for name, value in named.items():
        _check(name, value, tuple(all_models))
    others = {f"model.{model}" for model in all_models if model not in models}
    return {name: value for name, value in named.items() if ".".join(name.split(".")[:2]) not in others}


def _check(name: str, value: Any, all_models: tuple[str, ...]) -> None:
    if name == "model.names":
        raise UserError(f"{WHERE}: the models follow from the facets, leave out model.names")
    known = _known_names(all_models)
    if name not in known:
        parts = name.split(".")
        if parts[0] == "model" and len(parts) > 1 and parts[1] not in all_models:
            raise UserError(
                f"{WHERE}: {name} concerns a model that no combination of facets has; the models are "
                f"{', '.join(all_models)}"
            )
        near = difflib.get_close_matches(name, known, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UserError(f"{WHERE}: AutoGluon has no setting {name}{hint}")
    if name == AVERAGING and value not in get_args(Method):
        raise UserError(f"{WHERE}: {name} is {value!r}, not one of {', '.join(get_args(Method))}")


@lru_cache(maxsize=4)
def _known_names(models: tuple[str, ...]) -> frozenset[str]:
    """List the names of all settings, those of sections included, of a cell that had all models."""
    config = get_config(problem_type="regression", overrides={"model.names": list(models)})
    return frozenset(_names(config))


def _names(config: DictConfig, prefix: str = "") -> Iterator[str]:
    for name in map(str, config):
        yield f"{prefix}{name}"
        if not OmegaConf.is_missing(config, name) and isinstance(config[name], DictConfig):
            yield from _names(config[name], f"{prefix}{name}.")
