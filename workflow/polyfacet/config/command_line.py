"""Command lines for scripts: arguments have the types and ranges that ``main`` declares."""

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
        With status 2, if an argument is missing, unknown or of the wrong type.
    UserError
        If the configuration does not allow a value.
    """

    @functools.wraps(main)
    def check_and_call(**arguments: Any) -> None:
        check_arguments(main, arguments)
        main(**arguments)

    jsonargparse.auto_cli(check_and_call, as_positional=False)


def check_arguments(main: Callable[..., None], arguments: Mapping[str, Any]) -> None:
    """Check all arguments of ``main`` whose values are those of a configuration key.

    Raises
    ------
    UserError
        If the configuration does not allow a value; the message lists the allowed ones.
    """
    for name, annotation in typing.get_type_hints(main, include_extras=True).items():
        for key in getattr(annotation, "__metadata__", ()):
            if isinstance(key, Key) and name in arguments:
                complete_config(_nested(key.path.split("."), arguments[name]))


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        # A placeholder such as `<table>` is a name that users choose; any valid name will do.
        value = {key.strip("<>"): value}
    return value
