"""Read a table of compositions into typed rows, and record the rejected ones."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import sha256_of_file, write_text
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.rejects import check_rejected_fraction
from polyfacet.sources.tables.description import table_source
from polyfacet.sources.tables.reading import element_features, read_rows
from polyfacet.sources.tables.schemas import REJECTED_ROWS, rows_schema


def main(
    sample: Path,
    rejected: Path,
    summary: Path,
    *,
    source: str,
    description: Annotated[dict[str, Any], Key("tables.<table>")],
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    split_columns: Sequence[str] = (),
) -> None:
    """Read the table.

    Parameters
    ----------
    sample, rejected, summary
        Outputs: checked rows; rejected rows, with line and reason; counts, features and the file's digest.
    source
        Name of the table.
    description
        File and meaning of the columns of the table: fields of `polyfacet.config.tables.TableSource`.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    split_columns
        Further columns of the file, which splits group by.
    """
    described = table_source(source, description)
    kept, rejects = read_rows(source, described, split_columns)
    write_table(rejected, [vars(reject) for reject in rejects], REJECTED_ROWS)
    n_read = len(kept) + len(rejects)
    reasons = [reject.reason for reject in rejects]
    check_rejected_fraction(len(rejects), n_read, max_rejected_fraction, f"table {source}", reasons)
    elements = element_features(kept, described)
    table_rows = [
        {
            "mat_id": row.mat_id,
            "formula": row.formula,
            "line": row.line,
            "composition": [row.amounts.get(symbol, 0.0) for symbol in elements],
            **row.features,
            **row.objectives,
            **row.split_columns,
        }
        for row in kept
    ]
    write_table(sample, table_rows, rows_schema(described, elements, split_columns))
    facts = {
        "file": described.file,
        "sha256": sha256_of_file(Path(described.file)),
        "n_read": n_read,
        "n_rejected": len(rejects),
        "n_compositions": len({row["formula"] for row in table_rows}),
        "features": [*elements, *chain.from_iterable(described.features.values())],
    }
    write_text(summary, json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
