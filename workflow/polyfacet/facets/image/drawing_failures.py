"""Why a browser failed to draw a picture, and whether the scene or the machine is at fault."""

import re
from collections.abc import Sequence

from playwright.sync_api import Error, TimeoutError

from polyfacet.facets.image.browser import BrowserError

ADVICE = (
    "Give the job more memory, run fewer jobs at once, or lower max_sites.images; then run the same "
    "command again."
)
# WebGL runs in a separate process, which may run out of memory or crash because of the driver.
CONTEXT_LOST = re.compile("lost its WebGL context|WebGL context lost")
# The only end of a page's process that a scene can cause.
CRASHED = "crashed"
CALL_PREFIX = re.compile(r"^(?:[A-Z]\w*\.\w+: )?(?:Error: )?")


class PictureError(Exception):
    """No valid picture could be made of a scene; the message is the reason."""


class NoProgressError(TimeoutError):
    """A browser neither answers nor uses up its time."""


def failure_of(error: Error, crashes: Sequence[str], limit_s: float) -> PictureError | BrowserError:
    """Return the failure that an error of Playwright means.

    Parameters
    ----------
    error
        The error that occurred while a picture was taken.
    crashes
        How the processes of pages ended (see ``HeadlessBrowser.crashes``).
    limit_s
        CPU time that the browser may use, s.
    """
    if isinstance(error, NoProgressError):
        return BrowserError(
            f"The browser gave {error.message}, during which it could not use {limit_s:g} s of CPU time: "
            f"the machine is overloaded, or the renderer hangs. {ADVICE}"
        )
    if isinstance(error, TimeoutError):
        return PictureError(f"drawing it takes more than {limit_s:g} s of CPU time")
    if set(crashes) == {CRASHED}:
        return PictureError("drawing it crashes the page")
    how = f"a page was {crashes[-1]}, probably for lack of memory" if crashes else reason_of(error)
    return BrowserError(f"The browser does not work: {how}. {ADVICE}")


def failure_of_fault(fault: str) -> PictureError | BrowserError:
    """Return the failure that a fault of a picture, or an error in the page, means."""
    if CONTEXT_LOST.search(fault):
        return BrowserError(f"The browser does not work: {fault}. {ADVICE}")
    return PictureError(fault)


def reason_of(error: Error) -> str:
    """Return the first line of a Playwright error, without the leading names of calls and classes."""
    return CALL_PREFIX.sub("", error.message.splitlines()[0])
