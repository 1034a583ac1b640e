"""Why a browser drew no right picture, and whose fault that is: the scene's, or the machine's."""

import re
from collections.abc import Sequence

from playwright.sync_api import Error, TimeoutError

from polyfacet.facets.image.browser import BrowserError

ADVICE = (
    "Give the job more memory, or run fewer jobs at once, or lower max_sites.images; then run the same "
    "command again."
)
# Drawn by a process of its own, which ends for lack of memory or by a fault of the driver.
CONTEXT_LOST = re.compile("lost its WebGL context|WebGL context lost")
# Of the ways in which the process of a page ends, the one that a scene can cause.
CRASHED = "crashed"
CALL_PREFIX = re.compile(r"^(?:[A-Z]\w*\.\w+: )?(?:Error: )?")


class PictureError(Exception):
    """A scene of which no right picture could be made; the message is the reason."""


class NoProgressError(TimeoutError):
    """A browser that neither answers nor uses up its time."""


def failure_of(error: Error, crashes: Sequence[str], limit_s: float) -> PictureError | BrowserError:
    """Tell what an error of Playwright means.

    Parameters
    ----------
    error
        The error, while a picture was taken.
    crashes
        How the processes of pages ended (see ``HeadlessBrowser.crashes``).
    limit_s
        What the browser may use of the processor.
    """
    if isinstance(error, NoProgressError):
        return BrowserError(
            f"The browser gave {error.message}, in which it could not use {limit_s:g} s of the processor: "
            f"the machine is overloaded, or what draws hangs. {ADVICE}"
        )
    if isinstance(error, TimeoutError):
        return PictureError(f"drawing it takes more than {limit_s:g} s of the processor")
    if set(crashes) == {CRASHED}:
        return PictureError("drawing it crashes the page")
    how = f"a page was {crashes[-1]}, probably as memory ran out" if crashes else reason_of(error)
    return BrowserError(f"The browser does not work: {how}. {ADVICE}")


def failure_of_fault(fault: str) -> PictureError | BrowserError:
    """Tell what a fault of a picture, or an error in the page, means."""
    if CONTEXT_LOST.search(fault):
        return BrowserError(f"The browser does not work: {fault}. {ADVICE}")
    return PictureError(fault)


def reason_of(error: Error) -> str:
    """Return the first line of an error of Playwright without the names of calls and classes before it."""
    return CALL_PREFIX.sub("", error.message.splitlines()[0])
