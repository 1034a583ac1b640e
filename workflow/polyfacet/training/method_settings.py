"""The settings of methods, completed for each source and for objectives that have their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from polyfacet.config.source_text import KnownSettings
from polyfacet.runtime.errors import UserError
from polyfacet.training.encoders.own_checkpoints import named_hyperparameters
from polyfacet.training.engines.registry import ENGINES, complete_settings


def known_settings(config: Mapping[str, Any]) -> KnownSettings:
    """Collect the declared settings of all engines and methods; unknown engines have none."""
    engines = {name: engine.settings for name, engine in ENGINES.all().items()}
    named = {name: method["engine"] for name, method in config["methods"].items()}
    return KnownSettings(
        engines, {name: engines[engine] for name, engine in named.items() if engine in engines}
    )


def settings_on(name: str, method: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Complete the settings of a method on a source."""
    own = method["settings_of_sources"].get(source)
    if own is None:
        return complete_settings(method["engine"], method["settings"], ["methods", name, "settings"])
    where = ["methods", name, "settings_of_sources", source]
    return complete_settings(method["engine"], {**method["settings"], **own}, where)


def settings_of_objectives_on(
    name: str, method: Mapping[str, Any], source: str, objectives: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Complete the settings of those objectives of a method on a source that have their own."""
    engine, where = ENGINES.get(method["engine"]), ["methods", name, "settings_of_objectives"]
    given = {**method["settings"], **method["settings_of_sources"].get(source, {})}
    found = {
        objective: complete_settings(method["engine"], {**given, **own}, [*where, objective])
        for objective, own in method["settings_of_objectives"].items()
        if objective in objectives
    }
    if found and (engine.blends or engine.foundation):
        raise UserError(
            f"{'.'.join(where)}: the cells of engine {method['engine']!r} share what is made once for all "
            "objectives. Write another method for settings of their own."
        )
    usual = _encoders(complete_settings(method["engine"], given)) if engine.encoders else None
    for objective, settings in found.items():
        if usual is not None and _encoders(settings) != usual:
            raise UserError(
                f"{'.'.join(where)}.{objective} chooses other encoders, but encoders are fetched once per "
                "method. Write another method for them, with this objective in its `objectives`."
            )
    return found


def _encoders(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings by which an engine chooses encoders."""
    named = named_hyperparameters(settings)
    chosen = {name: value for name, value in named.items() if name.endswith("checkpoint_name")}
    return {"preset": settings.get("preset"), **chosen}
