"""Find the true causes of errors from the libraries that load, train and save encoders.

They wrap causes of all kinds in an ``OSError`` that says a checkpoint cannot be loaded.
"""

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
from polyfacet.runtime.machine_failures import error_chain, machine_failure
from polyfacet.training.engines.base import EngineError

# The hub, or its local copy, does not provide the requested file.
HUB_ERRORS = (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    httpx.HTTPError,
)


@contextmanager
def true_causes() -> Iterator[None]:
    """Raise the original error of the operating system instead of a library's wrapper."""
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
    """Return whether an error occurred because the hub, or its cache, does not provide a file."""
    return machine_failure(error) is None and any(isinstance(each, HUB_ERRORS) for each in error_chain(error))
