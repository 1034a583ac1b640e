"""What a source yields: checked materials and rejects, each with its place, read part by part."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from polyfacet.materials.material import Material

SHOWN_ID_CHARS = 80


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something in a source that cannot be used."""

    # As the source states it, truncated; None if it states none.
    stated_id: str | None
    reason: str


class Item(NamedTuple):
    """A material or a reject, and where it is."""

    source_file: str
    # Line of a CSV, from 1; otherwise from 0.
    position: int
    content: Material | Rejected


class Part(Protocol):
    """A piece of a source that one process reads; the pieces do not depend on the number of processes."""

    @property
    def label(self) -> str:
        """What is read, for messages about the progress."""

    def items(self) -> Iterator[Item]:
        """Yield everything in it, in the order of the source.

        Raises
        ------
        UserError
            If a file is damaged.
        """


def shown_id(stated: object) -> str | None:
    """Return an identifier that may be wrong so that it can be written; None if it is not a text."""
    if not isinstance(stated, str):
        return None
    return _writable(stated[:SHOWN_ID_CHARS])


def shown_file(path: Path) -> str:
    """Return a path so that it can be written, also if its name is not UTF-8."""
    return _writable(str(path))


def _writable(text: str) -> str:
    """Spell out bytes of file names that are not UTF-8, which Python keeps as lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()
