"""Names in a configuration: they become parts of paths and columns."""

import re
from collections.abc import Collection, Iterable

PLAIN_NAME = r"[a-z][a-z0-9]{0,30}"
NAME = r"[a-z][a-z0-9_]{0,30}"
# A regular expression that matches nothing, not even an empty name.
NO_NAME = r"(?!)"


def one_of(names: Iterable[str]) -> str:
    """Return a regular expression that matches the names, which may be none, and nothing else."""
    return "|".join(map(re.escape, names)) or NO_NAME


def check_name(what: str, name: object, *, underscores: bool = True, taken: Collection[str] = ()) -> None:
    """Reject a name that a configuration could not contain.

    Parameters
    ----------
    what
        The named thing, with its article, for the message.
    name
        The name.
    underscores
        Whether underscores are allowed.
    taken
        Reserved names.

    Raises
    ------
    ValueError
        If the name is invalid; the message says what to write.
    """
    pattern = NAME if underscores else PLAIN_NAME
    if isinstance(name, str) and re.fullmatch(pattern, name) and name not in taken:
        return
    letters = "lower-case letters, digits and _" if underscores else "lower-case letters and digits"
    but = f", but not {', '.join(sorted(taken))}" if taken else ""
    raise ValueError(
        f"{what} cannot be called {name!r}: write at most 31 {letters}, beginning with a letter{but}"
    )
