"""GPUs for compute jobs: whether this machine has one, and hiding it from jobs that were not given any."""

import os
from pathlib import Path

# Device files of the drivers of NVIDIA and AMD; importing PyTorch to ask takes seconds.
DEVICE_FILES = ("nvidia[0-9]*", "kfd")
# A driver shows the GPUs that its variable lists.
VISIBLE_DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
NO_DEVICES = ("", "-1")


def has_gpu(devices: Path = Path("/dev")) -> bool:
    """Return whether this machine has a GPU that the user has not hidden.

    Parameters
    ----------
    devices
        Folder of device files.
    """
    if any(os.environ.get(name) in NO_DEVICES for name in VISIBLE_DEVICES):
        return False
    return any(True for pattern in DEVICE_FILES for _ in devices.glob(pattern))


def hide_gpus() -> None:
    """Hide all GPUs from this process, before any library looks for them."""
    for name in VISIBLE_DEVICES:
        os.environ[name] = ""
