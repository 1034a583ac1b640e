"""Examples in memory, in the order in which those on disk would be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from polyfacet.networks.processes import Share
from polyfacet.networks.shuffling import Shuffle, step_bounds

T = TypeVar("T")


@dataclass(frozen=True)
class MemoryBatches(Generic[T]):
    """Steps of a training on examples in memory; see `polyfacet.networks.batch_source.BatchSource`.

    Parameters
    ----------
    n_rows
        Number of examples.
    batch_size
        Examples per step: at least this number, and less than twice it.
    seed
        Seed of the order; None keeps it.
    make
        Makes what the training needs from the numbers of the examples of this process and the number of those
        of all.
    share
        Share of this process.
    """

    n_rows: int
    batch_size: int
    seed: int | None
    make: Callable[[NDArray[np.int64], int], T]
    share: Share = field(default_factory=Share)

    def n_steps(self) -> int:
        """Return the number of steps of an epoch."""
        return len(step_bounds(self.n_rows, self.batch_size)) - 1

    def batches(self, epoch: int, first_step: int = 0) -> Iterator[T]:
        """Yield this process's part of each step of an epoch, without those before ``first_step``."""
        bounds = step_bounds(self.n_rows, self.batch_size).tolist()
        (window,) = Shuffle(np.array([self.n_rows]), self.n_rows, self.seed).windows(epoch)
        for start, stop in zip(bounds[first_step:-1], bounds[first_step + 1 :], strict=True):
            first, last = self.share.within(start, stop)
            yield self.make(window.order[first:last], stop - start)
