"""Scripts as command lines: arguments of the types and ranges that ``main`` names."""

import functools
import typing
from collections.abc import Callable, Mapping
from typing import Any

import jsonargparse

from polyfacet.config.completion import complete_config
from polyfacet.runtime.arguments import Key


def call(main: Callable[..., None]) -> None:
    """Call ``main`` with the values of the command line.

    Raises
    ------
    SystemExit
        With status 2, if an argument is missing, unknown or not of its type.
    UserError
        If a value is none that the configuration could have.
    """

    @functools.wraps(main)
    def check_and_call(**arguments: Any) -> None:
        check_arguments(main, arguments)
        main(**arguments)

    jsonargparse.auto_cli(check_and_call, as_positional=False)


def check_arguments(main: Callable[..., None], arguments: Mapping[str, Any]) -> None:
    """Check the values of all arguments of ``main`` that are keys of the configuration.

    Raises
    ------
    UserError
        If the configuration could not have a value; says which ones it could have.
    """
    for name, annotation in typing.get_type_hints(main, include_extras=True).items():
        for key in getattr(annotation, "__metadata__", ()):
            if isinstance(key, Key) and name in arguments:
                complete_config(_nested(key.path.split("."), arguments[name]))


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        # Any name stands for one that users choose: `<table>`.
        value = {key.strip("<>"): value}
    return value
