"""The device on which the network runs: the GPU if there is one, otherwise the CPU."""

import torch

from polyfacet.config.graphs import Device
from polyfacet.runtime.errors import UserError


def choose_device(device: Device) -> torch.device:
    """Resolve ``auto`` to the GPU if there is one, otherwise to the CPU.

    Raises
    ------
    UserError
        If ``cuda`` is requested and there is no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("graphs.device is cuda, but torch finds no GPU. Set it to auto or cpu.")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)
