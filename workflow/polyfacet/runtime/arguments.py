"""Metadata that the annotations of a script's arguments can have in addition to their types."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """The configuration key whose values an argument accepts; command lines check them as a run does.

    Attributes
    ----------
    path
        Names of the keys from the outermost to the innermost, joined by dots; ``<name>`` is any name.
    """

    path: str

    def __repr__(self) -> str:
        """Return the text that ``--help`` shows after the type."""
        return f"as {self.path} in docs/configuration.md"
