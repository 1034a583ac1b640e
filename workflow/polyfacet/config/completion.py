"""The configuration: one closed schema, defaults filled in, errors that show the fix."""

import copy
import difflib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from polyfacet.runtime.errors import UserError

SCHEMA_PATH = Path(__file__).resolve().parents[3] / "config" / "schema.yaml"
EMBEDDED = "embedded/entries.json.bz2"
# Far above what any key needs, far below what the libraries can take.
MAX_NESTING = 20


@cache
def load_schema() -> Mapping[str, Any]:
    """Read the schema that every configuration must fit."""
    return yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8"))


def complete_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Check a configuration and fill in the defaults of what it leaves out.

    Parameters
    ----------
    config
        What the config files and the command line gave.

    Returns
    -------
    dict
        A configuration with every key.

    Raises
    ------
    UserError
        If a key is unknown or a value is wrong; names every such key and shows what to write.
    """
    schema = _with_engines(load_schema(), config)
    completed = _as_declared(config, schema, schema)
    errors = sorted(_DefaultsValidator(schema).iter_errors(completed), key=lambda error: list(error.path))
    problems = "\n".join(f"  - {_explain(error, schema)}" for error in errors)
    if problems:
        raise UserError(f"The configuration does not fit config/schema.yaml:\n{problems}")
    if completed["sources"] is None:
        completed["sources"] = [] if completed["tables"] else [EMBEDDED]
    return completed


def engine_settings(engine: str) -> Mapping[str, Any]:
    """Return what is declared of the settings of an engine; nothing of an unknown one."""
    return load_schema()["$defs"]["engines"].get(engine, {})


def _with_engines(schema: Mapping[str, Any], config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Declare the settings of each method of a configuration: those of its engine."""
    declared = schema["properties"]["methods"]
    methods = config.get("methods", declared["default"])
    if not isinstance(methods, Mapping):
        return schema
    own = {
        name: _method(declared["additionalProperties"], str(method.get("engine")))
        for name, method in methods.items()
        if isinstance(method, Mapping)
    }
    properties = {**schema["properties"], "methods": {**declared, "properties": own}}
    return {**schema, "properties": properties}


def _method(declared: Mapping[str, Any], engine: str) -> Mapping[str, Any]:
    settings = engine_settings(engine)
    if not settings:
        return declared
    return {**declared, "properties": {**declared["properties"], "settings": settings}}


def _as_declared(value: Any, key: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """Copy a configuration; read texts that are declared as something else.

    Snakemake's command line gives every value inside ``--config 'images={size: 64}'`` as a text.
    """
    if depth > MAX_NESTING:
        raise UserError("The configuration is nested too deeply. Take out what is no value of a key.")
    key = resolved(key, schema)
    if isinstance(value, Mapping):
        properties = key.get("properties", {})
        others = values_of(key)
        return {
            name: _as_declared(item, properties.get(name, others), schema, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_as_declared(item, key.get("items", {}), schema, depth + 1) for item in value]
    kinds = key.get("type", [])
    is_text = "enum" in key or "string" in kinds or "const" in key
    if isinstance(value, str) and (not is_text or (value == "null" and "null" in kinds)):
        with suppress(yaml.YAMLError, RecursionError):
            read = yaml.safe_load(value)
            return _as_declared(read, key, schema, depth) if isinstance(read, dict | list) else read
    return value


def resolved(key: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference to the schema's own definitions."""
    return {**schema["$defs"][key["$ref"].rsplit("/", 1)[1]], **key} if "$ref" in key else key


def values_of(key: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what is declared of values whose names the user chooses; nothing where the names are declared."""
    values = key.get("additionalProperties")
    return values if isinstance(values, Mapping) else {}


def _fill_defaults(
    validator: Any, properties: Mapping[str, Any], instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for key, subschema in properties.items():
            if "default" in subschema:
                instance.setdefault(key, copy.deepcopy(subschema["default"]))
    yield from Draft202012Validator.VALIDATORS["properties"](validator, properties, instance, schema)


_DefaultsValidator = extend(Draft202012Validator, {"properties": _fill_defaults})


def _explain(error: ValidationError, schema: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        return _explain_unknown_keys(error, where)
    documented = _documented(schema, list(error.absolute_path)) if where else {}
    example = error.validator_value if error.validator == "const" else documented.get("default")
    fix = f" Write for example\n      {_snippet(list(error.absolute_path), example)}"
    meaning = f" {where}: {documented['description']}" if "description" in documented else ""
    return f"{where or 'the configuration'} = {error.instance!r}: {_reason(error)}.{meaning}{fix}"


def _reason(error: ValidationError) -> str:
    if error.validator in ("oneOf", "anyOf"):
        return "; or ".join(part.message for part in error.context)
    return error.message


def _explain_unknown_keys(error: ValidationError, where: str) -> str:
    instance: Any = error.instance
    declared: Any = error.schema
    known = list(declared["properties"])
    lines = []
    for key in sorted(set(instance) - set(known), key=str):
        path = f"{where}.{key}" if where else str(key)
        near = difflib.get_close_matches(str(key), known, n=1)
        if near:
            snippet = _snippet([*error.absolute_path, near[0]], instance[key])
            lines.append(f"unknown key {path}. Did you mean\n      {snippet}")
        else:
            lines.append(f"unknown key {path}. Known here: {', '.join(known)}. Take it out.")
    return "\n  - ".join(lines)


def _documented(schema: Mapping[str, Any], path: list[Any]) -> Mapping[str, Any]:
    """Find the innermost documented key on the way to a wrong value."""
    found = schema
    for part in path:
        of_all = found.get("items", {}) if isinstance(part, int) else values_of(found)
        declared = found.get("properties", {}).get(part, of_all)
        if "description" not in declared and "$ref" not in declared:
            break
        found = resolved(declared, schema)
    return found


def _snippet(path: list[Any], value: Any) -> str:
    keys = [part for part in path if isinstance(part, str)]
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    return yaml.safe_dump(nested, sort_keys=False, default_flow_style=None).strip().replace("\n", "\n      ")
