"""Recognize failures of the machine (memory, disk, permission) behind the errors of libraries.

Another attempt may succeed, so they fail the job: their consequences must not become results.
"""

import errno
import re
from collections.abc import Iterator

# Errors of the operating system that no library provokes on purpose.
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
# Messages of native code that gets no memory, disk space or thread, in errors of any class: C++ and XGBoost,
# PyTorch on CPUs and GPUs, Qhull, Pillow; and of PyTorch's data loaders if a worker was killed.
NO_RESOURCES = re.compile(
    r"bad_alloc|(can ?not|can't|unable to|failed to) allocate|out of memory|insufficient memory"
    r"|alloc\w*[_ ](failed|failure|error)|is killed by signal"
    r"|no space left on device|too many open files|can't start new thread",
    re.IGNORECASE,
)
# PyTorch's file writer fails with these words and hides the error of the operating system.
TORCH_WRITER = re.compile("inline_container|PytorchStreamWriter")


def machine_failure(error: BaseException) -> BaseException | None:
    """Return the failure of the machine (memory, disk, permission) that caused an error, or None."""
    for each in error_chain(error):
        if isinstance(each, MemoryError) or (isinstance(each, OSError) and each.errno in MACHINE_ERRORS):
            return each
        if isinstance(each, RuntimeError) and TORCH_WRITER.search(str(each)):
            message = str(each).splitlines()[0]
            return OSError(
                errno.EIO, f"a file could not be written completely, the disk may be full ({message})"
            )
        if _is_of_a_library(each) and NO_RESOURCES.search(str(each)):
            return each
    return None


def raise_machine_failure(error: Exception) -> None:
    """Raise the failure of the machine that caused an error; errors of the operating system are raised too.

    Call this before an error becomes a result: a rejected material, a missing value, a failed cell.
    """
    if isinstance(error, OSError | MemoryError):
        raise error
    if failure := machine_failure(error):
        raise failure from error


def _is_of_a_library(error: BaseException) -> bool:
    """Return whether a message is from a library and so does not quote user input."""
    return isinstance(error, RuntimeError | OSError) or type(error).__module__.startswith("xgboost.")


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors that led to it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
