"""The names that a configuration gives or asks for: they become parts of paths and columns."""

import re
from collections.abc import Collection

PLAIN_NAME = r"[a-z][a-z0-9]{0,30}"
NAME = r"[a-z][a-z0-9_]{0,30}"


def check_name(what: str, name: object, *, underscores: bool = True, taken: Collection[str] = ()) -> None:
    """Refuse a name that a configuration could not ask for.

    Parameters
    ----------
    what
        What has it, with its article.
    name
        The name.
    underscores
        Whether it may have underscores.
    taken
        Names that have another meaning.

    Raises
    ------
    ValueError
        If it cannot be a name; says what to write.
    """
    pattern = NAME if underscores else PLAIN_NAME
    if isinstance(name, str) and re.fullmatch(pattern, name) and name not in taken:
        return
    letters = "small letters, digits and _" if underscores else "small letters and digits"
    but = f", and none of {', '.join(sorted(taken))}" if taken else ""
    raise ValueError(
        f"{what} cannot be called {name!r}: write {letters}, 31 at most, beginning with a letter{but}"
    )
