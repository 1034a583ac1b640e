"""The subcommand ``polyfacet predict``."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from polyfacet.runtime.job import run_command
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.progress import tell

SUMMARY = "predict a property of new materials with the bundle of a trained cell"
DESCRIPTION = f"""{SUMMARY[0].upper()}{SUMMARY[1:]}.

INPUT: structure files and folders of them; a CSV with a column `formula`, for models that need no structure;
for a model of a table, a CSV with the columns of that table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of the bundle")
    parser.add_argument("inputs", metavar="INPUT", type=Path, nargs="+", help="new materials")
    parser.add_argument(
        "--output", metavar="FILE", type=Path, required=True, help="predictions: .csv or .parquet"
    )
    parser.add_argument("--threads", metavar="N", type=_positive, default=1, help="processor cores to use")
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, nargs="+", default=[], help="plug-ins that the bundle names"
    )
    parser.add_argument(
        "--browser",
        metavar="FILE",
        type=Path,
        help="Chromium, which draws pictures; searched for if not given",
    )


def main(arguments: argparse.Namespace) -> int:
    """Predict; return the exit status."""
    run_command(lambda: _predict(arguments))
    return 0


def _predict(arguments: argparse.Namespace) -> None:
    # Their imports take seconds, which other subcommands need not wait for.
    from polyfacet.use.prediction.bundle import Bundle  # noqa: PLC0415
    from polyfacet.use.prediction.inputs import read_inputs  # noqa: PLC0415
    from polyfacet.use.prediction.output import check_output, write_predictions  # noqa: PLC0415
    from polyfacet.use.prediction.tables import LEFT_OUT  # noqa: PLC0415

    check_output(arguments.output, map(Path, arguments.inputs))
    bundle = Bundle.open(
        arguments.bundle,
        threads=arguments.threads,
        plugins=arguments.plugins,
        browser=arguments.browser,
    )
    with TemporaryDirectory(prefix="polyfacet-") as name:
        materials, left_out = Path(name, "materials.parquet"), Path(name, "left_out.parquet")
        counts = read_inputs(arguments.inputs, bundle.description, materials, left_out, arguments.threads)
        tell(f"read {counts.read} materials; {counts.left_out} cannot be used")
        written = write_predictions(
            arguments.output,
            bundle.predict_table(materials),
            read_table(left_out, LEFT_OUT),
            bundle.schema,
        )
    tell(
        f"\nDone: {written.n_predicted} predicted, {written.n_unlike} of them unlike the training set; "
        f"{written.n_left_out} left out.\n"
        f"  predictions  {written.predictions}\n"
        f"  left out     {written.left_out}"
    )
    for note in bundle.notes:
        tell(f"Note: {note}")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number
