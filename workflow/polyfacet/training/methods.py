"""The methods that a configuration compares."""

from collections.abc import Iterable, Mapping
from typing import Any

from polyfacet.config.completion import complete_config, load_schema
from polyfacet.runtime.errors import UserError


def checked_methods(config: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Check the methods of a configuration, and fill in their engines' defaults.

    Parameters
    ----------
    config
        A complete configuration.

    Returns
    -------
    dict
        Table, then method, to its ``engine``, ``facets`` and ``settings``.

    Raises
    ------
    UserError
        If a method's settings are not those of its engine, or a name of a table or a method is unknown.
    """
    comparison, tables = config["comparison"], config["tables"]
    methods = comparison["methods"]
    if tables and not methods:
        raise UserError("`tables` are to be compared on, but `comparison.methods` is empty. Name a method.")
    if comparison["reference"] is not None and comparison["reference"] not in methods:
        raise UserError(
            f"comparison.reference is {comparison['reference']!r}, which is none of the methods: "
            f"{', '.join(methods)}."
        )
    for name, method in methods.items():
        _check_tables(f"comparison.methods.{name}.tables", method["tables"], tables)
        _check_tables(f"comparison.methods.{name}.settings_of_tables", method["settings_of_tables"], tables)
    published = comparison["published"]
    _check_tables("comparison.published", [entry["table"] for entry in published], tables)
    return {
        table: {
            name: {
                "engine": method["engine"],
                "facets": method["facets"],
                "settings": _settings(name, method, table),
            }
            for name, method in methods.items()
            if table in (method["tables"] or tables)
        }
        for table in tables
    }


def _check_tables(where: str, named: Iterable[str], tables: Mapping[str, Any]) -> None:
    unknown = [table for table in named if table not in tables]
    if unknown:
        raise UserError(f"{where} names the table {unknown[0]!r}; there are: {', '.join(tables) or 'none'}.")


def _settings(name: str, method: Mapping[str, Any], table: str) -> dict[str, Any]:
    """Complete a method's settings on a table as if they stood below ``engine.<name of the engine>``."""
    engine = method["engine"]
    settings = {**method["settings"], **method["settings_of_tables"].get(table, {})}
    if engine not in load_schema()["properties"]["engine"]["properties"]:
        return settings
    try:
        return complete_config({"engine": {"name": engine, engine: settings}})["engine"][engine]
    except UserError as error:
        raise UserError(f"The settings of comparison.methods.{name}:\n{error}") from error
