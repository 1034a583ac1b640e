"""Valid values of AutoGluon's settings, inferred from its own defaults."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

# Settings whose defaults happen to be whole numbers but need not be.
_FRACTIONS = frozenset({"optim.gradient_clip_val", "optim.lr_mult"})
# Counts that may be 0, by the ends of their names.
_MAY_BE_ZERO = frozenset(
    {
        "log_every_n_steps",
        "maximum_num_cat",
        "minimum_cat_count",
        "num_workers",
        "num_workers_inference",
        "text_aug_detect_length",
        "turn_off_epoch",
    }
)
# With 0 here, nothing would be learned or validated.
_ABOVE_ZERO = frozenset({"optim.lr", "optim.val_check_interval"})


@dataclass(frozen=True)
class Kind:
    """A requirement on a value: in words, and as a condition."""

    words: str
    holds: Callable[[Any], bool]


def kind_of(name: str, default: Any) -> Kind | None:
    """Infer the valid values of a setting from AutoGluon's default; None if any value is allowed.

    Parameters
    ----------
    name
        Dotted name of the setting.
    default
        AutoGluon's own value.
    """
    kind = None
    match default:
        case bool():
            kind = Kind("true or false", lambda value: isinstance(value, bool))
        case int() | float():
            kind = _number(name, default)
        # Checkpoints are checked together with those of the configuration.
        case str() if not name.endswith(".checkpoint_name"):
            types = str | int if name == "env.precision" else str
            kind = Kind("a string", lambda value: isinstance(value, types))
        case ListConfig() | list():
            kind = _list(kind_of(name, default[0]) if default else None)
        case DictConfig():
            kind = Kind("a section of settings", lambda value: False)
    return kind


def _number(name: str, default: float) -> Kind:
    if name == "optim.max_steps":
        words = "-1 for no limit, or a whole number of at least 1"
        return Kind(words, lambda value: _is_whole(value) and (value == -1 or value >= 1))
    if name == "env.num_gpus" or name.endswith(".max_text_len"):
        return _count(-1)
    if isinstance(default, int) and default > 0 and name not in _FRACTIONS:
        return _count(0 if name.rsplit(".", maxsplit=1)[-1] in _MAY_BE_ZERO else 1)
    if name in _ABOVE_ZERO:
        return Kind("a number above 0", lambda value: _is_number(value) and value > 0)
    lowest = min(default, 0)
    return Kind(f"a number of at least {lowest}", lambda value: _is_number(value) and value >= lowest)


def _count(lowest: int) -> Kind:
    words = f"a whole number of at least {lowest}"
    return Kind(words, lambda value: _is_whole(value) and value >= lowest)


def _list(element: Kind | None) -> Kind:
    def holds(value: Any) -> bool:
        is_list = isinstance(value, Sequence | ListConfig) and not isinstance(value, str)
        return is_list and (element is None or all(element.holds(each) for each in value))

    return Kind(f"a list, each {element.words}" if element else "a list", holds)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def as_read(name: str, value: Any) -> Any:
    """Return the value as AutoGluon reads it: it writes ``name=value`` and parses that as YAML.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    try:
        read = OmegaConf.select(OmegaConf.from_dotlist([f"{name}={value}"]), name)
    except (YAMLError, OmegaConfBaseException) as error:
        raise ValueError(f"AutoGluon cannot read it ({type(error).__name__})") from error
    return None if isinstance(read, str) and read.lower() == "none" else read
