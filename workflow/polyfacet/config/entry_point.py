"""Single entry point for all scripts: the same ``main`` serves a rule, a command line and a test."""

from collections.abc import Callable
from typing import Any

from polyfacet.runtime.job import run_command, run_job


def run(main: Callable[..., None], job: Any = None) -> None:
    """Call ``main`` with the values of a Snakemake job or, without a job, of the command line.

    Parameters
    ----------
    main
        See `polyfacet.runtime.job.run_job`.
    job
        The object that Snakemake injects into a script as ``snakemake``; None on a command line.
    """
    if job is None:
        from polyfacet.config.command_line import call  # noqa: PLC0415 - jobs do not need it or its packages

        run_command(lambda: call(main))
    else:
        run_job(main, job)
