"""The precision of a training: single, double, or mixed with half precision on a GPU."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Self

import torch

PrecisionName = Literal["float32", "float64", "bfloat16", "float16"]
HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, eq=False)
class Precision:
    """How a training computes.

    Parameters
    ----------
    weights
        Type of the weights, and of all computation outside `computing`.
    half
        Type in which operations are computed that bear it; None for that of the weights.
    device
        Type of the device.
    loss_scale
        Scale of losses that keeps gradients in the range of ``float16``; when they overflow, it is lowered,
        and the step left out.
    """

    weights: torch.dtype = torch.float32
    half: torch.dtype | None = None
    device: str = "cpu"
    loss_scale: torch.amp.GradScaler | None = None

    @classmethod
    def named(cls, name: PrecisionName, device: torch.device) -> Self:
        """Return a precision of the settings; on a CPU, half precision is replaced by ``float32``."""
        if name == "float64":
            return cls(torch.float64)
        if name == "float32" or device.type == "cpu":
            return cls()
        return cls.mixed(HALF[name], device.type)

    @classmethod
    def mixed(cls, half: torch.dtype, device: str) -> Self:
        """Return mixed precision, with scaled losses if gradients need them."""
        scale = torch.amp.GradScaler(device) if half == torch.float16 else None
        return cls(torch.float32, half, device, scale)

    def computing(self) -> AbstractContextManager[object]:
        """Return the context in which losses are computed."""
        return torch.autocast(self.device, self.half) if self.half else nullcontext()

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of a loss to those of the weights."""
        (self.loss_scale.scale(loss) if self.loss_scale else loss).backward()

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Make the gradients those of the losses as they are."""
        if self.loss_scale:
            self.loss_scale.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Update the weights, unless gradients in half precision have overflowed."""
        if self.loss_scale:
            self.loss_scale.step(optimizer)
            self.loss_scale.update()
        else:
            optimizer.step()
