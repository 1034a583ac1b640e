"""The table of configuration keys in README.md, written from the schema by this module."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polyfacet.config.completion import SCHEMA_PATH, load_schema, resolved, values_of
from polyfacet.config.generated_text import with_generated

README = SCHEMA_PATH.parents[1] / "README.md"


def config_reference() -> str:
    """Write one line a key: name, default, what is allowed, meaning."""
    lines = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, key in documented_keys():
        default = json.dumps(key["default"]).replace('"', "") if "default" in key else "required"
        lines.append(f"| `{name}` | `{default}` | {_allowed(key)} | {key['description']} |")
    return "\n".join(lines)


def with_reference(text: str) -> str:
    """Put the table into a text, between its two markers."""
    return with_generated(text, "config reference", config_reference())


def documented_keys() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through the keys that hold a value: name with dots, and what the schema says of it."""
    schema = load_schema()
    yield from _keys(schema, schema, "")


def _keys(
    schema: Mapping[str, Any], part: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, key in part["properties"].items():
        whole = resolved(key, schema)
        if "properties" in whole:
            yield from _keys(schema, whole, f"{prefix}{name}.")
        elif "properties" in values_of(whole):
            yield from _keys(schema, values_of(whole), f"{prefix}{name}.<name>.")
        else:
            yield f"{prefix}{name}", whole


def _allowed(key: Mapping[str, Any]) -> str:
    if "oneOf" in key:
        return " or ".join(_allowed(choice) for choice in key["oneOf"])
    if "const" in key:
        return f"`{key['const']}`"
    choices = key.get("enum") or key.get("items", {}).get("enum")
    if choices:
        return ("list of " if "items" in key else "") + ", ".join(f"`{choice}`" for choice in choices)
    kinds = key["type"] if isinstance(key["type"], list) else [key["type"]]
    limits = [
        f"{sign} {key[name]}"
        for name, sign in (
            ("minimum", ">="),
            ("exclusiveMinimum", ">"),
            ("maximum", "<="),
            ("exclusiveMaximum", "<"),
        )
        if name in key
    ]
    return " ".join([" or ".join(kinds), *limits])


def main(readme: Path = README) -> None:
    """Rewrite the table in README.md."""
    readme.write_text(with_reference(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
