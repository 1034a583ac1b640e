"""The engines by name."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from polyfacet.config.completion import checked_section
from polyfacet.facets.registry import NUMERIC_FACETS, Facet, facets_of
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.automm.settings import AutoMMSettings
from polyfacet.training.engines.base import Engine, Resources, Settings

Parts = tuple[type[Settings], Callable[[Any, Resources], Engine]]


@dataclass(frozen=True)
class Entry:
    """What there is to know of an engine without importing it."""

    # Imports the engine and gives the classes of its settings and of itself.
    load: Callable[[], Parts]
    # What it can look at.
    facets: tuple[Facet, ...]
    # Whether it starts from the encoders of text and pictures.
    encoders: bool = False
    # Whether a cell takes less time than the start of a process, so that one job trains many.
    cheap: bool = False


def _automm() -> Parts:
    with warnings.catch_warnings():
        # Its dependencies deprecate each other's doings at length.
        warnings.simplefilter("ignore")
        from polyfacet.training.engines.automm.engine import AutoMM, AutoMMSettings  # noqa: PLC0415 - takes ten seconds

    return AutoMMSettings, AutoMM


def _classical() -> Parts:
    from polyfacet.training.engines.classical import Classical, ClassicalSettings  # noqa: PLC0415 - like the others

    return ClassicalSettings, Classical


def _dummy() -> Parts:
    from polyfacet.training.engines.dummy import Dummy, DummySettings  # noqa: PLC0415 - like the others

    return DummySettings, Dummy


def _ensemble() -> Parts:
    from polyfacet.training.engines.ensemble import Ensemble, EnsembleSettings  # noqa: PLC0415 - like the others

    return EnsembleSettings, partial(Ensemble, create)


def _mcvn() -> Parts:
    from polyfacet.training.engines.mcvn.engine import MCVNEngine, MCVNSettings  # noqa: PLC0415 - like the others

    return MCVNSettings, MCVNEngine


_ENGINES: Mapping[str, Entry] = {
    "automm": Entry(_automm, tuple(Facet), encoders=True),
    "classical": Entry(_classical, NUMERIC_FACETS, cheap=True),
    "dummy": Entry(_dummy, (), cheap=True),
    "ensemble": Entry(_ensemble, NUMERIC_FACETS, cheap=True),
    "mcvn": Entry(_mcvn, NUMERIC_FACETS, cheap=True),
}
ENGINES = tuple(_ENGINES)


def needs_encoders(name: str) -> bool:
    """Say whether an engine starts from encoders of text and pictures."""
    return _ENGINES[name].encoders


def is_cheap(name: str) -> bool:
    """Say whether one job trains all cells of a method of this engine on a split."""
    return _ENGINES[name].cheap


def is_baseline(name: str) -> bool:
    """Say whether an engine looks at no facet."""
    return not _ENGINES[name].facets


def complete_settings(name: str, settings: Mapping[str, Any], where: Sequence[str] = ()) -> dict[str, Any]:
    """Check the settings of an engine and fill in its defaults.

    Parameters
    ----------
    name
        One of ``ENGINES``.
    settings
        What a configuration gave.
    where
        Keys of the configuration on the way to them, for the messages.

    Raises
    ------
    UserError
        If a setting is unknown or wrong; names it and shows what to write.
    """
    return checked_section(settings_of(name), settings, where).model_dump(mode="json")


def settings_of(name: str) -> type[Settings]:
    """Return the declaration of an engine's settings."""
    return AutoMMSettings if name == "automm" else _ENGINES[name].load()[0]


def needs_statistics(settings: Mapping[str, Any]) -> bool:
    """Say whether settings of an engine, or of a member of it, ask for the statistics of the compositions."""
    members = settings.get("members") or ()
    expanded = settings.get("features", "original") != "original"
    return expanded or any(needs_statistics(member.get("settings", {})) for member in members)


def check_combinations(name: str, combinations: Sequence[str]) -> None:
    """Refuse combinations of facets that an engine cannot look at.

    Raises
    ------
    UserError
        If there are such; names them, and the facets that the engine takes.
    """
    taken = _ENGINES[name].facets
    refused = [each for each in combinations if not set(facets_of(each)) <= set(taken)]
    if refused:
        raise UserError(
            f"engine {name!r} cannot look at {', '.join(refused)}. It takes the facets "
            f"{', '.join(facet.value for facet in taken)}: write for example\n"
            f"      combinations: [{taken[0].value}]"
        )


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
    settings_class, engine_class = _ENGINES[name].load()
    try:
        checked = settings_class(**settings)
    except ValidationError as error:
        raise UserError(f"settings of engine {name!r}: {error}") from error
    return engine_class(checked, resources)
