"""The steps of a training: the rows of each, in an order that seed and epoch determine."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from polyfacet.networks.batch_source import BatchSource
from polyfacet.networks.memory_batches import MemoryBatches
from polyfacet.networks.processes import own_share
from polyfacet.training.engines.joint.examples import Examples


@dataclass(frozen=True, eq=False)
class Part:
    """Rows that are computed together.

    Attributes
    ----------
    examples
        The rows.
    n_rows
        Number of rows of the whole step, in all processes.
    """

    examples: Examples
    n_rows: int


def steps_of(examples: Examples, batch_size: int, seed: int) -> BatchSource[Part]:
    """Return the steps of rows in memory, this process's part of each."""

    def part_of(rows: NDArray[np.int64], n_rows: int) -> Part:
        return Part(examples[torch.from_numpy(rows)], n_rows)

    return MemoryBatches(len(examples), batch_size, seed, part_of, own_share())
