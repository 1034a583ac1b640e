"""What is said of a text that is rather a misprint of a formula."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Misprint:
    """What is odd about a text, and the spellings of what it may mean, the likely one first."""

    problem: str
    spellings: tuple[str, ...]
