"""The engines by name."""

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from polyfacet.engines.base import Engine, Resources, Settings
from polyfacet.errors import UserError

Parts = tuple[type[Settings], Callable[[Any, Resources], Engine]]


def _automm() -> Parts:
    with warnings.catch_warnings():
        # Its dependencies deprecate each other's doings at length.
        warnings.simplefilter("ignore")
        from polyfacet.engines.automm.engine import AutoMM, AutoMMSettings  # noqa: PLC0415 - takes ten seconds

    return AutoMMSettings, AutoMM


def _dummy() -> Parts:
    from polyfacet.engines.dummy import Dummy, DummySettings  # noqa: PLC0415 - like the others

    return DummySettings, Dummy


_ENGINES: Mapping[str, Callable[[], Parts]] = {"automm": _automm, "dummy": _dummy}
ENGINES = tuple(_ENGINES)


def create(name: str, settings: Mapping[str, Any], resources: Resources) -> Engine:
    """Create an engine by name.

    Parameters
    ----------
    name
        One of ``ENGINES``.
    settings
        Settings of the engine, as in a config; what is left out takes the engine's default.
    resources
        Seed, threads and encoders.

    Raises
    ------
    UserError
        If there is no such engine, or a setting is unknown or wrong.
    """
    if name not in _ENGINES:
        raise UserError(f"there is no engine {name!r}; there are: {', '.join(ENGINES)}")
    if resources.encoders is not None:
        # Read when a library of the hub is first imported; with local encoders nothing there is needed.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    settings_class, engine_class = _ENGINES[name]()
    try:
        checked = settings_class(**settings)
    except ValidationError as error:
        raise UserError(f"settings of engine {name!r}: {error}") from error
    return engine_class(checked, resources)
