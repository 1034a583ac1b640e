"""Write predictions as CSV or Parquet, batch by batch."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.use.prediction.bundle import Predictions
from polyfacet.use.prediction.tables import LEFT_OUT

FORMATS = (".csv", ".parquet")


@dataclass(frozen=True)
class Written:
    """The files that were written, and how many materials are in them."""

    predictions: Path
    left_out: Path
    n_predicted: int
    n_left_out: int
    n_unlike: int


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Reject an output that predictions cannot be written to.

    Raises
    ------
    UserError
        If it does not end in a format, is a folder, its own folder does not exist, or one of the files that
        are written is an input.
    """
    given = [each for each in inputs if each.exists()]
    for written in (path, left_out_path(path)):
        if written.exists() and any(written.samefile(each) for each in given):
            raise UserError(
                f"--output {path} would overwrite {written}, which is one of the inputs. Choose another name."
            )
        if written.is_dir():
            raise UserError(f"--output {path} cannot be written: {written} is a folder. Choose another name.")
    if path.suffix not in FORMATS:
        raise UserError(f"--output {path} must end in {' or '.join(FORMATS)}.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"the folder of --output {path} does not exist. Create it first.")


def left_out_path(output: Path) -> Path:
    """Return the path of the materials that are left out."""
    return output.with_name(f"{output.name}.rejected.csv")


def write_predictions(
    output: Path, batches: Iterable[Predictions], left_out: pd.DataFrame, schema: pa.Schema
) -> Written:
    """Write predictions and what is left out; both files appear complete or not at all.

    Parameters
    ----------
    output
        A CSV, in which lists are JSON, or a Parquet file, which has meanings and units as metadata.
    batches
        Predictions.
    left_out
        Materials that could not be read; rows of ``LEFT_OUT``.
    schema
        Columns of the predictions.
    """
    rejected, n_predicted, n_unlike = [left_out], 0, 0
    with atomic_path(output) as part, _writer(output.suffix, part, schema) as writer:
        for batch in batches:
            table = pa.Table.from_pandas(batch.predictions, schema=schema, preserve_index=False)
            writer.write_table(_flat(table) if output.suffix == ".csv" else table)
            n_predicted += table.num_rows
            n_unlike += int(batch.predictions["unlike"].sum())
            rejected.append(batch.left_out)
    all_rejected = pd.concat(rejected, ignore_index=True)[LEFT_OUT.names]
    with atomic_path(left_out_path(output)) as part:
        all_rejected.to_csv(part, index=False)
    return Written(output, left_out_path(output), n_predicted, len(all_rejected), n_unlike)


def _writer(suffix: str, path: Path, schema: pa.Schema) -> pq.ParquetWriter | pa_csv.CSVWriter:
    if suffix == ".parquet":
        return pq.ParquetWriter(path, schema, compression="zstd")
    return pa_csv.CSVWriter(path, _flat(schema.empty_table()).schema)


def _flat(table: pa.Table) -> pa.Table:
    """Write lists as JSON, for CSV."""
    for number, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            texts = [None if row is None else json.dumps(row) for row in table[field.name].to_pylist()]
            table = table.set_column(number, field.name, pa.array(texts, pa.string()))
    return table.replace_schema_metadata(None)
