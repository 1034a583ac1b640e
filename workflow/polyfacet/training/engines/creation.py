"""Create engines by name, and load saved ones."""

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from polyfacet.facets.registry import FACETS, facet_named
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.plugins import Origin
from polyfacet.training.engines.base import ENGINE_FILE, Engine, Resources
from polyfacet.training.engines.registry import ENGINES, engine_origins


def engine_class(name: str) -> type[Engine]:
    """Import the class of an engine.

    Raises
    ------
    UserError
        If there is no such engine.
    """
    with warnings.catch_warnings():
        # Its dependencies emit many deprecation warnings.
        warnings.simplefilter("ignore")
        return ENGINES.get(name).load()


def create(name: str, settings: Mapping[str, Any], resources: Resources) -> Engine:
    """Create an engine by name.

    Parameters
    ----------
    name
        Name of the engine.
    settings
        Settings of the engine, as in a configuration; missing ones keep the engine's defaults.
    resources
        Seed, threads and encoders.

    Raises
    ------
    UserError
        If there is no such engine, or a setting is unknown or wrong.
    """
    declared = ENGINES.get(name)
    if resources.encoders is not None:
        # Read when a library of the hub is first imported; local encoders need nothing from the hub.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        checked = declared.settings(**settings)
    except ValidationError as error:
        raise UserError(f"settings of engine {name!r}: {error}") from error
    engine = engine_class(name)(checked, resources, name)
    engine.origins = engine_origins(name, settings)
    return engine


def load(folder: Path, threads: int = 1) -> Engine:
    """Load a saved model to predict with; the folder may have been moved.

    Raises
    ------
    UserError
        If the folder holds no model, or one of a missing plug-in; the message says where to get it.
    """
    try:
        identity = json.loads((folder / ENGINE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} does not hold a cell's model ({error}).") from error
    try:
        origins = [Origin(**each) for each in identity.get("plugins", [])]
        objective = Objective.from_fields(identity["objective"])
        names, settings = list(identity["facets"]), dict(identity["settings"])
        resources = Resources(identity["seed"], threads)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / ENGINE_FILE} is damaged or of another version of Polyfacet ({error!r}). Train the "
            "cell again, or install the version that made it."
        ) from error
    _check_plugins(folder, origins)
    engine = create(identity["engine"], settings, resources)
    engine.restore(folder, [facet_named(name) for name in names], objective)
    return engine


def _check_plugins(folder: Path, origins: Sequence[Origin]) -> None:
    """Reject a model whose engine or facets come from missing plug-ins."""
    known = {registry.kind: registry.all() for registry in (ENGINES, FACETS)}
    missing = [origin for origin in origins if origin.name not in known[origin.kind]]
    if not missing:
        return
    lines = "\n".join(f"  - {origin}" for origin in missing)
    files = list(dict.fromkeys(origin.plugin for origin in missing if not origin.package))
    packages = dict.fromkeys(origin.package for origin in missing if origin.package)
    ways = [f"load it first: polyfacet.runtime.plugins.use_plugins({files})"] if files else []
    ways += [f"install {package}" for package in packages]
    raise UserError(
        f"The model in {folder} was trained with plug-ins that are missing:\n{lines}\nTo predict with it, "
        f"{', and '.join(ways)}."
    )
