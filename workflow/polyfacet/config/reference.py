"""The table of keys in docs/configuration.md, written from the schema by this module."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polyfacet.config.completion import SCHEMA_PATH, load_schema, resolved, values_of
from polyfacet.config.generated_text import with_generated
from polyfacet.runtime.markdown import table

PAGE = SCHEMA_PATH.parents[1] / "docs" / "configuration.md"


def config_reference() -> str:
    """Write the keys by section, and the settings of each engine: name, default, what is allowed, meaning."""
    schema = load_schema()
    sections: dict[str, list[list[str]]] = {}
    for name, key in documented_keys():
        sections.setdefault(name.split(".")[0], []).append(_line(name, key))
    general = [line for lines in sections.values() if len(lines) == 1 for line in lines]
    parts = [_table("General", general)]
    parts += [_table(f"`{name}`", lines) for name, lines in sections.items() if len(lines) > 1]
    for engine, settings in schema["$defs"]["engines"].items():
        keys = [_line(name, key) for name, key in _keys(schema, settings, "")]
        parts.append(_table(f"`methods.<name>.settings` of the engine `{engine}`", keys))
    return "\n\n".join(parts)


def _table(title: str, lines: list[list[str]]) -> str:
    return f"### {title}\n\n{table(['key', 'default', 'allowed', 'meaning'], lines, n_left=4)}"


def _line(name: str, key: Mapping[str, Any]) -> list[str]:
    default = json.dumps(key["default"]).replace('"', "") if "default" in key else "required"
    return [f"`{name}`", f"`{default}`", _allowed(key), key["description"]]


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
        return " or ".join(_allowed(resolved(choice, load_schema())) for choice in key["oneOf"])
    if "const" in key:
        return f"`{key['const']}`"
    choices = key.get("enum") or key.get("items", {}).get("enum")
    if choices:
        shown = ("null" if choice is None else choice for choice in choices)
        return ("list of " if "items" in key else "") + ", ".join(f"`{choice}`" for choice in shown)
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


def main(page: Path = PAGE) -> None:
    """Rewrite the tables in docs/configuration.md."""
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
