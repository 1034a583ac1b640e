"""Check the configuration of a run and fill in defaults; errors show the fix."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from polyfacet.config.explanation import explain
from polyfacet.config.run import Configuration
from polyfacet.config.section import Section
from polyfacet.runtime.errors import UserError

# Far above what any key needs, far below what the libraries can handle.
MAX_NESTING = 20
MAX_VALUES = 1_000_000

AnySection = TypeVar("AnySection", bound=Section)


def complete_config(config: Mapping[Any, Any]) -> dict[str, Any]:
    """Check a configuration and fill in the defaults of missing keys.

    Parameters
    ----------
    config
        Values from the config files and the command line.

    Returns
    -------
    dict
        A configuration with every key; its values can be represented in JSON.

    Raises
    ------
    UserError
        If a key is unknown or a value is wrong; the message names every such key and shows what to write.
    """
    return checked_section(Configuration, config).filled()


def checked_section(
    section: type[AnySection], given: Mapping[Any, Any], where: Sequence[str | int] = ()
) -> AnySection:
    """Check a section of the configuration, or the settings of an engine.

    Parameters
    ----------
    section
        Model of the section.
    given
        Values of the section, as given.
    where
        Keys of the configuration that lead to the section, for the messages.

    Raises
    ------
    UserError
        If a key is unknown or a value is wrong; the message names every such key and shows what to write.
    """
    _check_extent(given)
    try:
        return section.model_validate(_with_text_keys(given))
    except ValidationError as error:
        problems = "\n".join(f"  - {problem}" for problem in explain(error, section, given, where))
        raise UserError(f"The configuration is wrong (see docs/configuration.md):\n{problems}") from error


def _check_extent(given: Any) -> None:
    """Limit nesting and the number of values: YAML references let a short file expand to very many."""
    level = [given]
    n_values = 0
    for _ in range(MAX_NESTING + 1):
        below: list[Any] = []
        for value in level:
            if isinstance(value, Mapping):
                below.extend(value.values())
            elif isinstance(value, list | tuple):
                below.extend(value)
            n_values += 1
            if n_values + len(below) > MAX_VALUES:
                raise UserError("The configuration has too many values. Remove repeated references.")
        if not below:
            return
        level = below
    raise UserError("The configuration is nested too deeply. Remove everything that no key needs.")


def _with_text_keys(given: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in given.items()}
