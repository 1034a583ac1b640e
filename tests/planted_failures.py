"""Failures of the machine that tests plant into libraries."""

from collections.abc import Callable

import pytest

OUT_OF_MEMORY = (MemoryError, RuntimeError)


def caused_by(cause: Exception, error: Exception) -> Exception:
    """Return an error with another one as its cause."""
    error.__cause__ = cause
    return error


def raising(error: Exception) -> Callable[..., None]:
    """Return a function that raises an error whatever it is called with."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


PLANTED = [RuntimeError("std::bad_alloc"), caused_by(MemoryError(), ValueError("no bonds"))]
planted = pytest.mark.parametrize("error", PLANTED, ids=repr)
