"""Run a script for a Snakemake job: arguments, log, and error messages with advice."""

import errno
import fcntl
import inspect
import logging
import os
import shutil
import sys
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeGuard

from polyfacet.runtime import progress
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.gpus import hide_gpus
from polyfacet.runtime.plugins import use_plugins

logger = logging.getLogger(__name__)

# Errors of the operating system, and what the user can do about them.
REMEDIES = {
    errno.ENOSPC: "The disk is full: free some space",
    errno.EDQUOT: "The disk quota is exceeded: free some space",
    errno.EROFS: "The file system is read-only: make it writable or work in another folder",
    errno.EACCES: "Permission is missing: grant it or work in another folder",
    errno.EPERM: "Permission is missing: grant it or work in another folder",
}


def run_command(command: Callable[[], object]) -> None:
    """Run a command line; report errors as short messages."""
    _start_logging()
    _call(command)


def run_job(main: Callable[..., None], job: Any) -> None:
    """Call ``main`` with the values of a Snakemake job; its output goes to the log of the rule.

    Parameters
    ----------
    main
        Its parameters have the names of the rule's inputs, outputs, params and wildcards (``threads`` is
        the rule's threads); annotations mark those that are paths.
    job
        The object that Snakemake injects into a script as ``snakemake``.
    """
    _call(lambda: _run_job(main, job), log=_log_of(job), rejected=job.output.get("rejected"))


def _run_job(main: Callable[..., None], job: Any) -> None:
    log = _log_of(job)
    if log:
        _send_output_to(log)
        _beside(log).unlink(missing_ok=True)
    _start_logging()
    # A job that was given no GPU must not use that of another one.
    if not getattr(job.resources, "gpu", None):
        hide_gpus()
    use_plugins(job.config.get("plugins") or ())
    main(**job_arguments(main, job))


def job_arguments(main: Callable[..., None], job: Any) -> dict[str, Any]:
    """Collect the arguments of ``main`` from a Snakemake job, converted to their annotated types.

    Raises
    ------
    TypeError
        If the rule has no value for a parameter of ``main`` without a default, or two of them.
    """
    annotations = typing.get_type_hints(main)
    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(main).parameters.items():
        if name == "threads":
            arguments[name] = job.threads
            continue
        values = _values_of(name, job)
        if len(values) > 1:
            raise TypeError(f"rule {job.rule} has several values for {name!r} of {main.__module__}.main")
        if values:
            arguments[name] = _as_annotated(values[0], annotations.get(name))
        elif parameter.default is inspect.Parameter.empty:
            raise TypeError(f"rule {job.rule} has no value for {name!r} of {main.__module__}.main")
    return arguments


def _values_of(name: str, job: Any) -> list[Any]:
    """Return the values that a job has for a name: one, unless its rule forgets it or uses it twice.

    A wildcard counts only where the rule has nothing else of its name: the file ``split`` is that of the
    split ``{split}``.
    """
    named = [group[name] for group in (job.output, job.input, job.params) if name in tuple(group.keys())]
    return named or [value for wildcard, value in job.wildcards.items() if wildcard == name]


_LISTS_OF_FILES = (list[Path], list[Path] | None, Sequence[Path])


def _as_annotated(value: Any, annotation: Any) -> Any:
    if annotation in (Path, Path | None):
        return Path(value) if value else None
    if annotation in _LISTS_OF_FILES:
        return [Path(value)] if isinstance(value, str) else [Path(item) for item in value]
    return value


def _log_of(job: Any) -> Path | None:
    return Path(job.log[0]) if job.log else None


def _send_output_to(log: Path) -> None:
    """Redirect the output of this process and its children to the log; keep the terminal for progress."""
    log.parent.mkdir(parents=True, exist_ok=True)
    progress.use_terminal(os.fdopen(os.dup(2), "w", buffering=1))
    with log.open("a") as stream:
        _wait_for_former_process(stream, log)
        stream.truncate(0)
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)


def _wait_for_former_process(stream: IO[str], log: Path) -> None:
    """Lock the log for as long as this process lives.

    If Snakemake is killed, its jobs go on running, and the next run must not write to the same files.
    """
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        progress.tell(
            f"{log.stem}: a process of a killed run is still working on this; waiting for it to finish."
        )
        fcntl.flock(stream, fcntl.LOCK_EX)
    except OSError:
        logger.warning("%s cannot be locked on this file system", log)


def _start_logging() -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )


def _call(action: Callable[[], object], log: Path | None = None, rejected: str | None = None) -> None:
    try:
        action()
    except UserError as error:
        progress.tell(f"\nError: {error}{_kept(rejected, log)}\n")
        raise SystemExit(1) from None
    except Exception as error:
        if log is None and _names_a_file(error):
            # On a command line, the user named the file.
            progress.tell(f"\nError: {error.filename}: {error.strerror}{_advice(error, log)}\n")
            raise SystemExit(1) from None
        logger.exception("defect")
        progress.tell(f"\nError: {type(error).__name__}: {error}{_advice(error, log)}\n")
        raise SystemExit(1) from None


def _names_a_file(error: Exception) -> TypeGuard[OSError]:
    """Return whether an error is about a file (missing, a folder, not permitted) rather than a defect."""
    return isinstance(error, OSError) and error.filename is not None and error.strerror is not None


def _advice(error: Exception, log: Path | None) -> str:
    remedy = REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None
    if remedy:
        return f"\n{remedy}, then run the same command again."
    return f" (full traceback: {log})" if log else ""


def _kept(rejected: str | None, log: Path | None) -> str:
    """Copy the rejects of a failed stage next to its log: Snakemake deletes the outputs of failed jobs."""
    if not (log and rejected and Path(rejected).is_file()):
        return ""
    shutil.copyfile(rejected, _beside(log))
    return f"\nAll rejects with their reasons: {_beside(log)}"


def _beside(log: Path) -> Path:
    return log.with_suffix(".rejected.parquet")
