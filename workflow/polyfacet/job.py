"""One entrance to every script: the same ``main`` serves a rule, a command line and a test."""

import inspect
import logging
import os
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polyfacet import progress
from polyfacet.errors import UserError

logger = logging.getLogger(__name__)


def run(main: Callable[..., None], job: Any = None) -> None:
    """Call ``main`` with the values of a Snakemake job, or of the command line where there is no job.

    Parameters
    ----------
    main
        Its parameters carry the names of the rule's inputs, outputs, params and wildcards (``threads`` is
        the rule's threads); annotations say which of them are paths.
    job
        The object that Snakemake puts into a script as ``snakemake``; None on a command line.
    """
    if job is None:
        import jsonargparse  # noqa: PLC0415 - only command lines need it

        _start_logging()
        _call(lambda: jsonargparse.auto_cli(main, as_positional=False))
        return
    if job.log:
        _send_output_to(Path(job.log[0]))
    _start_logging()
    arguments = job_arguments(main, job)
    _call(lambda: main(**arguments), log=Path(job.log[0]) if job.log else None)


def job_arguments(main: Callable[..., None], job: Any) -> dict[str, Any]:
    """Collect the arguments of ``main`` from a Snakemake job, as the types that its annotations name.

    Raises
    ------
    TypeError
        If the rule gives no value for a parameter of ``main`` that has no default.
    """
    annotations = typing.get_type_hints(main)
    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(main).parameters.items():
        if name == "threads":
            arguments[name] = job.threads
            continue
        for group in (job.output, job.input, job.params, job.wildcards):
            if name in group.keys():  # noqa: SIM118 - Snakemake's named lists hold values, not names
                arguments[name] = _as_annotated(group[name], annotations.get(name))
                break
        else:
            if parameter.default is inspect.Parameter.empty:
                raise TypeError(f"rule {job.rule} gives no value for {name!r} of {main.__module__}.main")
    return arguments


def _as_annotated(value: Any, annotation: Any) -> Any:
    if annotation in (Path, Path | None):
        return Path(value) if value else None
    if annotation in (list[Path], list[Path] | None):
        return [Path(value)] if isinstance(value, str) else [Path(item) for item in value]
    return value


def _send_output_to(log: Path) -> None:
    """Send everything that this process and its children print to the log; keep the terminal for progress."""
    log.parent.mkdir(parents=True, exist_ok=True)
    progress.use_terminal(os.fdopen(os.dup(2), "w", buffering=1))
    with log.open("w") as stream:
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)


def _start_logging() -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )


def _call(action: Callable[[], object], log: Path | None = None) -> None:
    try:
        action()
    except UserError as error:
        progress.tell(f"\nError: {error}\n")
        raise SystemExit(1) from None
    except Exception as error:
        logger.exception("defect")
        where = f" (whole traceback: {log})" if log else ""
        progress.tell(f"\nError: {type(error).__name__}: {error}{where}\n")
        raise SystemExit(1) from None
