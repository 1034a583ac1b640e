"""Failures of the machine - memory, disk, permission - among the errors that libraries make of them.

Another attempt may get past them, so they fail the job: nothing that follows from them is a result.
"""

import errno
import re
from collections.abc import Iterator

# What the operating system refuses, and no library asks for on purpose.
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
# What code that is not Python's says where it gets no memory, disk or thread, in errors of any class: C++ and
# XGBoost, PyTorch on processors and GPUs, Qhull, Pillow; and PyTorch's loaders of a worker that was killed.
NO_RESOURCES = re.compile(
    r"bad_alloc|(can ?not|can't|unable to|failed to) allocate|out of memory|insufficient memory"
    r"|alloc\w*[_ ](failed|failure|error)|is killed by signal"
    r"|no space left on device|too many open files|can't start new thread",
    re.IGNORECASE,
)
# PyTorch's writer of files fails with these words, and hides what the operating system said.
TORCH_WRITER = re.compile("inline_container|PytorchStreamWriter")


def machine_failure(error: BaseException) -> BaseException | None:
    """Find the failure of the machine (memory, disk, permission) that led to an error; None if none did."""
    for each in error_chain(error):
        if isinstance(each, MemoryError) or (isinstance(each, OSError) and each.errno in MACHINE_ERRORS):
            return each
        if isinstance(each, RuntimeError) and TORCH_WRITER.search(str(each)):
            said = str(each).splitlines()[0]
            return OSError(errno.EIO, f"a file could not be written whole, the disk may be full ({said})")
        if _is_of_a_library(each) and NO_RESOURCES.search(str(each)):
            return each
    return None


def raise_machine_failure(error: Exception) -> None:
    """Raise the failure of the machine that led to an error, and whatever the operating system refused.

    To be called before an error is made a result: the reject of a material, a missing value, a failed cell.
    """
    if isinstance(error, OSError | MemoryError):
        raise error
    if failure := machine_failure(error):
        raise failure from error


def _is_of_a_library(error: BaseException) -> bool:
    """Tell words of a library from those that may quote what the user gave."""
    return isinstance(error, RuntimeError | OSError) or type(error).__module__.startswith("xgboost.")


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
