"""The configuration of a run: checked, defaults filled in, errors that show the fix."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from polyfacet.config.explanation import explain
from polyfacet.config.run import Configuration
from polyfacet.config.section import Section
from polyfacet.runtime.errors import UserError

# Far above what any key needs, far below what the libraries can take.
MAX_NESTING = 20
MAX_VALUES = 1_000_000

AnySection = TypeVar("AnySection", bound=Section)


def complete_config(config: Mapping[Any, Any]) -> dict[str, Any]:
    """Check a configuration and fill in the defaults of what it leaves out.

    Parameters
    ----------
    config
        What the config files and the command line gave.

    Returns
    -------
    dict
        A configuration with every key, made of what JSON has.

    Raises
    ------
    UserError
        If a key is unknown or a value is wrong; names every such key and shows what to write.
    """
    return checked_section(Configuration, config).filled()


def checked_section(
    section: type[AnySection], given: Mapping[Any, Any], where: Sequence[str] = ()
) -> AnySection:
    """Check a section of the configuration, or the settings of one thing.

    Parameters
    ----------
    section
        Which section.
    given
        What was given for it.
    where
        Keys of the configuration on the way to it, for the messages.

    Raises
    ------
    UserError
        If a key is unknown or a value is wrong; names every such key and shows what to write.
    """
    _check_extent(given)
    try:
        return section.model_validate(_with_text_keys(given))
    except ValidationError as error:
        problems = "\n".join(f"  - {problem}" for problem in explain(error, section, given, where))
        raise UserError(f"The configuration is wrong (see docs/configuration.md):\n{problems}") from error


def _check_extent(given: Any) -> None:
    """Refuse nesting and numbers of values that no key needs; references let a short file have many."""
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
                raise UserError("The configuration has too many values. Remove references that repeat.")
        if not below:
            return
        level = below
    raise UserError("The configuration is nested too deeply. Remove what is not the value of a key.")


def _with_text_keys(given: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in given.items()}
