"""Where the network runs: on the GPU where there is one, else on the processor."""

import torch

from polyfacet.config.graphs import Device
from polyfacet.runtime.errors import UserError


def choose_device(device: Device) -> torch.device:
    """Resolve ``auto`` to the GPU where there is one.

    Raises
    ------
    UserError
        If ``cuda`` is asked for and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("graphs.device is cuda, but torch finds no GPU. Set it to auto or cpu.")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)
