"""Files generated from the declaration of the configuration: schema, defaults and tables of keys."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from polyfacet.config.completion import complete_config
from polyfacet.config.run import Configuration
from polyfacet.runtime.markdown import table

# Only the list of elements is longer than this.
MOST_CHOICES = 20
KINDS = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "`true`, `false`",
    "null": "`null`",
}
LIMITS = {
    "multipleOf": "a multiple of",
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
}


def schema(origin: str) -> str:
    """Return the JSON schema of a configuration, with a comment that states its origin."""
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": origin,
        **Configuration.model_json_schema(),
    }
    return json.dumps(content, indent=2) + "\n"


def defaults(origin: str) -> str:
    """Return a configuration with the default of every key, with a comment that states its origin."""
    config = yaml.safe_dump(complete_config({}), sort_keys=False, default_flow_style=None, width=110)
    return (
        "# The default of every key; no run reads this file. docs/configuration.md explains the keys.\n"
        f"# {origin}\n{config}"
    )


def tables_of_keys() -> str:
    """Return one table of keys per section: name, default, allowed values, meaning."""
    whole = Configuration.model_json_schema()
    sections = {name: list(_below(name, key, whole)) for name, key in whole["properties"].items()}
    single = [
        (name, key) for name, key in whole["properties"].items() if not sections[name] or _takes_lists(key)
    ]
    parts = [f"### General\n\n{_table(single)}"]
    for name, keys in sections.items():
        if keys:
            meaning = _resolved(whole["properties"][name], whole)["description"]
            parts.append(f"### `{name}`\n\n{meaning}\n\n{_table(keys)}")
    return "\n\n".join(parts)


def table_of_settings(settings: type[BaseModel]) -> str:
    """Return a table of settings, for example those of an engine."""
    whole = settings.model_json_schema()
    return _table(key for name, part in whole["properties"].items() for key in _keys(name, part, whole))


def _keys(
    name: str, key: Mapping[str, Any], whole: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a key, unless it is a section, and the keys below it."""
    below = list(_below(name, key, whole))
    if not below or _takes_lists(key):
        yield name, dict(key)
    yield from below


def _below(
    name: str, key: Mapping[str, Any], whole: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the keys of a section that hold a value, with dotted names."""
    key = _resolved(key, whole)
    for below, part in key.get("properties", {}).items():
        yield from _keys(f"{name}.{below}", part, whole)
    for option in key.get("anyOf", ()):
        yield from _below(name, option, whole)
    for values, placeholder in ((_values(key), ".<name>"), (key.get("items", {}), "[]")):
        if values:
            yield from _below(f"{name}{placeholder}", values, whole)


def _takes_lists(key: Mapping[str, Any]) -> bool:
    """Return whether a key may be a list, whose items are explained in addition to the key itself."""
    return any(option.get("type") == "array" for option in (key, *key.get("anyOf", ())))


def _values(key: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the declaration of values whose names users choose; empty if the names are declared."""
    for values in (key.get("additionalProperties"), *key.get("patternProperties", {}).values()):
        if isinstance(values, Mapping):
            return values
    return {}


def _resolved(key: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" not in key:
        return dict(key)
    return {**whole["$defs"][key["$ref"].rsplit("/", 1)[1]], **key}


def _table(keys: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    lines = [
        [
            f"`{name}`",
            f"`{_plain(key['default'])}`" if "default" in key else "required",
            _allowed(key),
            key["description"],
        ]
        for name, key in keys
    ]
    return table(["key", "default", "allowed", "meaning"], lines, n_left=4)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace('"', "")


def _allowed(key: Mapping[str, Any]) -> str:
    """Describe the allowed values of a key."""
    if "anyOf" in key:
        return " or ".join(dict.fromkeys(map(_allowed, key["anyOf"])))
    if "const" in key:
        return f"`{key['const']}`"
    if "enum" in key:
        choices = [f"`{choice}`" for choice in key["enum"]]
        return ", ".join(choices) if len(choices) <= MOST_CHOICES else "element"
    kind = key.get("type", "object")
    if kind == "array":
        return f"list of {_allowed(key['items'])}"
    if kind == "object":
        values = _values(key)
        return f"mapping of names to {_allowed(values)}" if values else "mapping"
    return " ".join([KINDS[kind], *(f"{sign} {key[name]:g}" for name, sign in LIMITS.items() if name in key)])
