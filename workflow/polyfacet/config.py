"""The configuration: one closed schema, defaults filled in, errors that show the fix."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from polyfacet.errors import UserError

SCHEMA_PATH = Path(__file__).resolve().parents[2] / "config" / "schema.yaml"


def load_schema() -> dict[str, Any]:
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
    completed = _plain(config)
    schema = load_schema()
    errors = sorted(_DefaultsValidator(schema).iter_errors(completed), key=lambda error: list(error.path))
    if errors:
        problems = "\n".join(f"  - {_explain(error, schema)}" for error in errors)
        raise UserError(f"The configuration does not fit config/schema.yaml:\n{problems}")
    return completed


def _plain(value: Any) -> Any:
    """Copy nested mappings and lists, so that filling in defaults leaves the caller's object alone."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _fill_defaults(
    validator: Any, properties: Mapping[str, Any], instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for key, subschema in properties.items():
            if "default" in subschema:
                instance.setdefault(key, _plain(subschema["default"]))
    yield from Draft202012Validator.VALIDATORS["properties"](validator, properties, instance, schema)


_DefaultsValidator = extend(Draft202012Validator, {"properties": _fill_defaults})


def _explain(error: ValidationError, schema: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        return _explain_unknown_keys(error, where, schema)
    documented = _documented(schema, list(error.absolute_path)) if where else {}
    fix = f" Write for example\n      {_snippet(list(error.absolute_path), documented.get('default'))}"
    meaning = f" {where}: {documented['description']}" if "description" in documented else ""
    return f"{where or 'the configuration'} = {error.instance!r}: {_reason(error)}.{meaning}{fix}"


def _reason(error: ValidationError) -> str:
    if error.validator in ("oneOf", "anyOf"):
        return "; or ".join(part.message for part in error.context)
    return error.message


def _explain_unknown_keys(error: ValidationError, where: str, schema: Mapping[str, Any]) -> str:
    instance: Any = error.instance
    known = list(_documented(schema, list(error.absolute_path))["properties"])
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
        if part not in found.get("properties", {}):
            break
        found = found["properties"][part]
        if "$ref" in found:
            found = {**schema["$defs"][found["$ref"].rsplit("/", 1)[1]], **found}
    return found


def _snippet(path: list[Any], value: Any) -> str:
    keys = [part for part in path if isinstance(part, str)]
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    return yaml.safe_dump(nested, sort_keys=False, default_flow_style=None).strip().replace("\n", "\n      ")
