"""The command ``polyfacet``: one subcommand per task outside the workflow."""

import argparse
import importlib.metadata
from collections.abc import Callable, Sequence

from polyfacet.use import doctor, examples
from polyfacet.use.finding import command as find
from polyfacet.use.prediction import command as predict
from polyfacet.use.study import command as study


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Parameters
    ----------
    arguments
        Arguments after ``polyfacet`` on the command line; those of this process by default.

    Returns
    -------
    int
        Exit status: 0 if the subcommand succeeded, 2 if there is no such subcommand.
    """
    chosen = _parser().parse_args(arguments)
    status: int = chosen.run(chosen)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="polyfacet", description="Tools of Polyfacet; `snakemake` runs the workflow."
    )
    version = importlib.metadata.version("polyfacet")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    summary = "report what this machine has, what is missing, and how to get it"
    _add(commands, "doctor", lambda chosen: doctor.main(), summary, summary)
    predicting = _add(commands, "predict", predict.main, predict.SUMMARY, predict.DESCRIPTION)
    predict.add_arguments(predicting)
    finding = _add(commands, "find", find.main, find.SUMMARY, find.DESCRIPTION)
    find.add_arguments(finding)
    studied = _add(commands, "study", study.main, study.SUMMARY, study.DESCRIPTION)
    study.add_arguments(studied)
    shown = _add(commands, "examples", examples.main, examples.SUMMARY, examples.SUMMARY)
    examples.add_arguments(shown)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    description: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(run=run)
    return parser
