"""What an error of the libraries that load, train and save encoders really means.

They wrap causes of every kind in an ``OSError`` that says a checkpoint cannot be loaded.
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

# The hub, or its copy on this machine, does not give what it is asked for.
HUB_ERRORS = (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    httpx.HTTPError,
)


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
    return machine_failure(error) is None and any(isinstance(each, HUB_ERRORS) for each in error_chain(error))
