"""What a training loop needs of its examples, whether they are in memory or on disk."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)


class BatchSource(Protocol[T_co]):
    """Examples of a training, in steps: each step is one update of the weights.

    The order of the examples depends on a seed and the epoch alone.  With several processes, each has its own
    source, which yields the contiguous share of the process in every step.
    """

    @property
    def n_rows(self) -> int:
        """Number of examples, those of all processes together."""
        ...

    def n_steps(self) -> int:
        """Return the number of steps of an epoch."""
        ...

    def batches(self, epoch: int, first_step: int = 0) -> Iterator[T_co]:
        """Yield this process's part of each step of an epoch.

        Parameters
        ----------
        epoch
            Number of preceding epochs.
        first_step
            Number of steps to skip, for a training that resumes in the middle of an epoch.
        """
        ...
