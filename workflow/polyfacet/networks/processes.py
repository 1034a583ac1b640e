"""The processes that train one network together; there is one unless PyTorch's launcher has started more."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn

from polyfacet.runtime.errors import UserError


@dataclass(frozen=True)
class Share:
    """One process's contiguous share of the examples of each step.

    Parameters
    ----------
    number
        Number of the process, from 0.
    of
        Number of processes.
    """

    number: int = 0
    of: int = 1

    def within(self, first: int, last: int) -> tuple[int, int]:
        """Return where the share of the positions ``first`` to ``last`` begins and ends."""
        size = last - first
        return first + size * self.number // self.of, first + size * (self.number + 1) // self.of


def own_share() -> Share:
    """Return the share of this process."""
    if distributed.is_available() and distributed.is_initialized():
        return Share(distributed.get_rank(), distributed.get_world_size())
    return Share()


def total(tensor: torch.Tensor) -> torch.Tensor:
    """Sum a tensor over all processes, in place."""
    if own_share().of > 1:
        distributed.all_reduce(tensor)
    return tensor


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """Return the sum of a tensor over all processes, each of which uses it: gradients are sums as well."""
    found: torch.Tensor = tensor if own_share().of == 1 else _Sum.apply(tensor)
    return found


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, tensor: torch.Tensor) -> torch.Tensor:
        return total(tensor.clone())

    @staticmethod
    def backward(_context: Any, gradient: torch.Tensor) -> torch.Tensor:
        return total(gradient.clone())


def check_same(values: tuple[int, ...], what: str) -> None:
    """Check that integers are the same in all processes, for example those read from a file.

    Raises
    ------
    UserError
        If they differ.
    """
    if own_share().of == 1:
        return
    largest = torch.tensor([*values, *(-value for value in values)])
    if distributed.get_backend() == distributed.Backend.NCCL:
        largest = largest.cuda()
    distributed.all_reduce(largest, distributed.ReduceOp.MAX)
    if largest.tolist() != [*values, *(-value for value in values)]:
        raise UserError(
            f"the processes of a training see different versions of {what}. Their folder must be on a file "
            "system that all nodes share."
        )


def in_parallel(model: nn.Module) -> nn.Module:
    """Return a module that computes the same, and averages gradients over all processes."""
    if own_share().of == 1:
        return model
    # Each process computes the same statistics, so that there are no buffers to copy.
    return nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)


@contextmanager
def joined(device: torch.device, meeting_point: Path | None) -> Iterator[None]:
    """Join the other processes that PyTorch's launcher has started.

    Parameters
    ----------
    device
        Device to train on; processes of one machine have a GPU each.
    meeting_point
        File through which processes of one machine find each other, without a port; None for processes on
        several machines, which the launcher tells where they meet.

    Raises
    ------
    UserError
        If there are fewer GPUs than processes.
    """
    number, of = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if device.type == "cuda":
        _choose_gpu(int(os.environ["LOCAL_RANK"]))
    store = None if meeting_point is None else distributed.FileStore(str(meeting_point), of)
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, rank=number, world_size=of, store=store)
    try:
        yield
        # None may leave while others still work: the launcher takes its end for a failure of them all.
        distributed.barrier()
    finally:
        # Wrapped networks refer to the group; left to the end of the interpreter, they would abort it.
        gc.collect()
        distributed.destroy_process_group()


def _choose_gpu(number: int) -> None:
    if number >= torch.cuda.device_count():
        raise UserError(
            f"the training has more processes than this machine has GPUs ({torch.cuda.device_count()}). "
            "Lower graphs.training.processes, or set graphs.device to cpu."
        )
    torch.cuda.set_device(number)
