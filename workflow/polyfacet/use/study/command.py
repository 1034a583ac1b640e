"""The subcommand ``polyfacet study``."""

import argparse
from pathlib import Path

from polyfacet.runtime.job import run_command
from polyfacet.use.argument_types import positive

SUMMARY = "run a configuration repeat by repeat, and keep its scores as a document"
DESCRIPTION = f"""{SUMMARY[0].upper()}{SUMMARY[1:]}.

The scores of each finished repeat are added to small tables in FOLDER/<run_name>/, from which a page with
figures is written. Repeats in these tables are not run again, even if the results of the run itself are gone:
commit the folder, and any machine continues from there. Remove it after a change of the configuration."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("config", metavar="CONFIG", type=Path, help="configuration of the run")
    parser.add_argument(
        "--folder", type=Path, default=Path("docs/results"), help="where scores and page are kept"
    )
    parser.add_argument("--cores", metavar="N", type=positive, default=1, help="processor cores to use")
    parser.add_argument(
        "--repeats", metavar="N", type=positive, help="stop after the first N repeats of each split"
    )
    parser.add_argument("--splits", metavar="NAME", nargs="+", help="run these splits only; all by default")
    parser.add_argument(
        "--baseline",
        metavar="METHOD:FACETS",
        help="cell that the chosen ones are compared with, such as ridge:graph",
    )
    parser.add_argument("--page", action="store_true", help="only write the page anew")


def main(arguments: argparse.Namespace) -> int:
    """Run what is missing; return the exit status."""
    from polyfacet.use.study.running import run_study  # noqa: PLC0415 - takes two seconds

    run_command(lambda: run_study(arguments))
    return 0
