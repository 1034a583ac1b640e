"""The order in which an epoch goes through examples on disk, of which only some fit into memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyfacet.runtime.identifiers import stable_hash


@dataclass(frozen=True)
class Window:
    """Blocks that are in memory together, and the order of their examples.

    Parameters
    ----------
    blocks
        Numbers of the blocks.
    start, stop
        Positions of its examples in the epoch.
    order
        Order of the examples, as positions among those of the window.
    """

    blocks: NDArray[np.int64]
    start: int
    stop: int
    order: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shuffle:
    """Order of examples that are stored in blocks.

    An epoch takes the blocks in random order, as many at a time as fit into a window, and the examples of a
    window in random order.  Up to the size of the window, this is a complete shuffle.  Seed and epoch alone
    determine the order.

    Parameters
    ----------
    sizes
        Number of examples in each block.
    window
        Maximum number of examples in memory, unless a single block has more.
    seed
        Seed of the order; None keeps the order of the blocks and of their examples.
    """

    sizes: NDArray[np.int64]
    window: int
    seed: int | None

    def windows(self, epoch: int, first: int = 0) -> Iterator[Window]:
        """Yield the windows of an epoch, without those that end before the position ``first``."""
        start = 0
        for number, blocks in enumerate(self._blocks(epoch)):
            stop = start + int(self.sizes[blocks].sum())
            if stop > first:
                yield Window(blocks, start, stop, self._order(epoch, number, stop - start))
            start = stop

    def _blocks(self, epoch: int) -> list[NDArray[np.int64]]:
        """Divide the blocks among windows."""
        blocks = np.flatnonzero(self.sizes)
        if self.seed is not None and self.sizes.sum() > self.window:
            blocks = np.random.default_rng(stable_hash("blocks", self.seed, epoch)).permutation(blocks)
        cuts, filled = [], 0
        for place, size in enumerate(self.sizes[blocks].tolist()):
            if filled and filled + size > self.window:
                cuts.append(place)
                filled = 0
            filled += size
        return np.split(blocks, cuts)

    def _order(self, epoch: int, number: int, n_rows: int) -> NDArray[np.int64]:
        if self.seed is None:
            return np.arange(n_rows)
        later = (number,) if number else ()
        return np.random.default_rng(stable_hash("epoch", self.seed, epoch, *later)).permutation(n_rows)


def step_bounds(n_rows: int, size: int) -> NDArray[np.int64]:
    """Return where the steps of an epoch begin and end: each has at least ``size`` examples, or all."""
    n_steps = max(1, n_rows // size)
    # As `numpy.array_split` divides, without an array of all examples.
    sizes = np.full(n_steps, n_rows // n_steps, dtype=np.int64)
    sizes[: n_rows % n_steps] += 1
    return np.concatenate([[0], np.cumsum(sizes)])
