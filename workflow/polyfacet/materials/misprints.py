"""Description of a text that is probably a misprinted formula."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Misprint:
    """What is odd about a text, and spellings of what it may mean, the most likely one first."""

    problem: str
    spellings: tuple[str, ...]
