"""The subcommand ``polyfacet predict``."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.job import run_command
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.progress import tell
from polyfacet.use.bundle_arguments import add_bundle_arguments, given_to_open

SUMMARY = "predict a property of new materials with the bundle of a trained cell"
DESCRIPTION = f"""{SUMMARY[0].upper()}{SUMMARY[1:]}.

INPUT is, for a model of crystals:
  - a CIF or POSCAR file, or a folder of them
  - a CSV or Parquet file with a column of structures (CIF text, POSCAR text or pymatgen JSON)
  - JSON of a matbench task
  - extended XYZ
  - entries of Alexandria (JSON, JSON Lines), or a folder of such files
  - if the model needs no structure: a CSV with a column `formula`
and for a model of a table: a CSV with the columns of that table.

Where a path does not say enough, write a quoted mapping with the keys path, format, id, structure and
properties: '{{path: crystals.csv, id: name, structure: cif}}'. docs/predict.md says more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of the bundle")
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", help="new materials: a path, or a quoted mapping (see above)"
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, required=True, help="predictions: .csv or .parquet"
    )
    add_bundle_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Predict; return the exit status."""
    run_command(lambda: _predict(arguments))
    return 0


def _predict(arguments: argparse.Namespace) -> None:
    # Their imports take seconds, which other subcommands need not wait for.
    from polyfacet.use.prediction.bundle import Bundle  # noqa: PLC0415
    from polyfacet.use.prediction.inputs import files_of, read_inputs, source_of  # noqa: PLC0415
    from polyfacet.use.prediction.output import check_output, write_predictions  # noqa: PLC0415
    from polyfacet.use.prediction.tables import LEFT_OUT  # noqa: PLC0415

    sources = [source_of(given_input(text)) for text in arguments.inputs]
    check_output(arguments.output, [path for source in sources for path in files_of(source)])
    bundle = Bundle.open(arguments.bundle, **given_to_open(arguments))
    with TemporaryDirectory(prefix="polyfacet-") as name:
        materials, left_out = Path(name, "materials.parquet"), Path(name, "left_out.parquet")
        counts = read_inputs(sources, bundle.description, materials, left_out, arguments.threads)
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


def given_input(text: str) -> str | Mapping[str, Any]:
    """Read an input: a mapping in YAML, or else a path.

    Raises
    ------
    UserError
        If it begins like a mapping, but cannot be read as one.
    """
    # Unlike `Path.exists`, this is false for a text that is too long for a name.
    if not text.startswith("{") or os.path.exists(text):  # noqa: PTH110
        return text
    try:
        # Texts only, which a source reads as its keys are declared.
        keys = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError:
        keys = None
    if not isinstance(keys, Mapping) or not all(keys.values()):
        raise UserError(
            f"the input {text!r} is neither a file nor a mapping. Quote a mapping, and put a space after "
            "each colon: '{path: crystals.csv, structure: cif}'."
        )
    return keys
