"""The command ``polyfacet``: one subcommand per use of the project beside the workflow."""

import argparse
import importlib.metadata
from collections.abc import Callable, Sequence

from polyfacet.use import doctor


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Parameters
    ----------
    arguments
        What stands after ``polyfacet`` on the command line; that of this process if not given.

    Returns
    -------
    int
        Exit status: 0 if the subcommand succeeded, 2 if there is no such subcommand.
    """
    chosen = _parser().parse_args(arguments)
    status: int = chosen.run()
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="polyfacet", description="Polyfacet beside its workflow, which `snakemake` runs."
    )
    version = importlib.metadata.version("polyfacet")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "doctor", doctor.main, "say what this machine has, what is missing, and how to get it")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[], int],
    summary: str,
) -> None:
    commands.add_parser(name, help=summary, description=summary).set_defaults(run=run)
