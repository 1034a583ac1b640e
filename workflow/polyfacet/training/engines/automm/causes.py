"""What an error of the libraries that load, train and save encoders really means.

They wrap causes of every kind in an ``OSError`` that says a checkpoint cannot be loaded.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
)

from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import EngineError

# The hub, or its copy on this machine, does not give what it is asked for.
HUB_ERRORS = (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    httpx.HTTPError,
)
# What the operating system refuses for reasons that are not the hub's.
MACHINE_ERRORS = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ESTALE,
    }
)


# PyTorch's writer of files fails with these words, and hides what the operating system said.
TORCH_WRITER = ("inline_container", "PytorchStreamWriter")


def machine_failure(error: BaseException) -> BaseException | None:
    """Find the failure of the machine (memory, disk, permission) that led to an error; None if none did."""
    for each in _chain(error):
        if isinstance(each, MemoryError) or (isinstance(each, OSError) and each.errno in MACHINE_ERRORS):
            return each
        if isinstance(each, RuntimeError) and any(word in str(each) for word in TORCH_WRITER):
            said = str(each).splitlines()[0]
            return OSError(errno.EIO, f"a file could not be written whole, the disk may be full ({said})")
    return None


@contextmanager
def true_causes() -> Iterator[None]:
    """Raise what the operating system refused instead of the error that a library made of it."""
    try:
        yield
    except (EngineError, UserError):
        raise
    except Exception as error:
        failure = machine_failure(error)
        if failure is None or failure is error:
            raise
        raise failure from error


def is_of_the_hub(error: BaseException) -> bool:
    """Say whether an error came about because the hub, or its cache, does not give a file."""
    return machine_failure(error) is None and any(isinstance(each, HUB_ERRORS) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
