"""How a process that makes scenes ends, and whose fault that is: the crystal's, or the machine's."""

import signal
from collections.abc import Sequence
from pathlib import Path

from polyfacet.facets.image.drawable import SceneError
from polyfacet.runtime.errors import UserError

# Of the processor, which is the same however many others use it; SIGXCPU is its end.
SCENE_LIMIT_S = 300
OF_THE_CRYSTAL = frozenset(
    {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGILL, -signal.SIGXCPU}
)
ADVICE = (
    "Give the job more memory or fewer threads, or lower max_sites.images; then run the same command again."
)


class SceneWorkerError(UserError):
    """All workers are gone, or the machine fails them: nothing can be drawn any more."""


def given_up(cif: Path, codes: Sequence[int]) -> SceneError | SceneWorkerError:
    """Make the error of a crystal whose workers ended, one after the other.

    Parameters
    ----------
    cif
        Its file.
    codes
        How they ended, as ``os.waitstatus_to_exitcode`` has it.
    """
    ends = list(dict.fromkeys(map(end_of, codes)))
    said = f"twice by {ends[0]}" if len(ends) == 1 else f"by {' and then by '.join(ends)}"
    if OF_THE_CRYSTAL.issuperset(codes):
        return SceneError(f"the process that makes its scene is ended {said}")
    advice = ADVICE if -signal.SIGKILL in codes else "The log says why."
    return SceneWorkerError(f"The process that makes the scene of {cif.name} was ended {said}. {advice}")


def end_of(code: int) -> str:
    """Say what ended a process."""
    if code >= 0:
        return f"an error (exit status {code})"
    if code == -signal.SIGXCPU:
        return f"its limit of {SCENE_LIMIT_S} s of the processor"
    if code == -signal.SIGKILL:
        return "SIGKILL, probably as memory ran out"
    return signal.Signals(-code).name
