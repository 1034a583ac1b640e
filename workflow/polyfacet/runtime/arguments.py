"""What the annotations of a script's arguments can say beside their types."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """The key of the configuration whose values an argument takes: command lines check them like a run.

    Attributes
    ----------
    path
        Names of the keys from the outermost to the innermost, joined by dots; ``<name>`` is any name.
    """

    path: str

    def __repr__(self) -> str:
        """Return what ``--help`` shows beside the type."""
        return f"as {self.path} in docs/configuration.md"
