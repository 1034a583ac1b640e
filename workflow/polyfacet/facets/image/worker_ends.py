"""How a process that makes scenes ends, and whether the crystal or the machine is at fault."""

import signal
from collections.abc import Sequence
from pathlib import Path

from polyfacet.facets.image.drawable import SceneError
from polyfacet.runtime.errors import UserError

# CPU time, which does not depend on the load of the machine; SIGXCPU ends a process that exceeds it.
SCENE_LIMIT_S = 300
OF_THE_CRYSTAL = frozenset(
    {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGILL, -signal.SIGXCPU}
)
ADVICE = (
    "Give the job more memory or fewer threads, or lower max_sites.images; then run the same command again."
)


class SceneWorkerError(UserError):
    """All workers have ended, or the machine fails them: nothing more can be drawn."""


def given_up(cif: Path, codes: Sequence[int]) -> SceneError | SceneWorkerError:
    """Return the error for a crystal whose workers ended, one after the other.

    Parameters
    ----------
    cif
        The crystal's file.
    codes
        How the workers ended, as returned by ``os.waitstatus_to_exitcode``.
    """
    ends = list(dict.fromkeys(map(end_of, codes)))
    said = f"twice by {ends[0]}" if len(ends) == 1 else f"by {' and then by '.join(ends)}"
    if OF_THE_CRYSTAL.issuperset(codes):
        return SceneError(f"the process that makes its scene was ended {said}")
    advice = ADVICE if -signal.SIGKILL in codes else "The log says why."
    return SceneWorkerError(f"The process that makes the scene of {cif.name} was ended {said}. {advice}")


def end_of(code: int) -> str:
    """Return what ended a process."""
    if code >= 0:
        return f"an error (exit status {code})"
    if code == -signal.SIGXCPU:
        return f"its limit of {SCENE_LIMIT_S} s of CPU time"
    if code == -signal.SIGKILL:
        return "SIGKILL, probably for lack of memory"
    return signal.Signals(-code).name
