"""Values of ``--config`` on the command line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from polyfacet.config.section import NULL


def assignments(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys and values that follow ``--config`` on a command line, up to the next option."""
    is_config = False
    for argument in arguments:
        assignment = argument
        if argument.startswith("-"):
            option, _, assignment = argument.partition("=")
            is_config = option in ("--config", "-C")
        key, is_assignment, value = assignment.partition("=")
        if is_config and is_assignment:
            yield key, value


def with_nulls(config: Any, assigned: Any) -> Any:
    """Read ``null`` and ``~`` on the command line as in files; Snakemake leaves them as texts.

    Parameters
    ----------
    config
        The configuration, in which the command line has overridden the files.
    assigned
        Values of ``--config``.
    """
    if isinstance(config, Mapping) and isinstance(assigned, Mapping):
        given = {key: with_nulls(config[key], value) for key, value in assigned.items() if key in config}
        return {**config, **given}
    if isinstance(config, list | tuple):
        return [with_nulls(item, item) for item in config]
    return None if isinstance(config, str) and config in NULL else config
