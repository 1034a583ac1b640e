"""What a cell was made of, for its card: so that anyone can tell which data and which code a result is of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """What a cell was made of beside its rows.

    Attributes
    ----------
    n_without_part
        Materials of the sample that are not among the rows, as the split gives them no part.
    foundation
        Digest of the foundation that the engine was given; None for none.
    """

    n_without_part: int = 0
    foundation: str | None = None


UNKNOWN = Provenance()
