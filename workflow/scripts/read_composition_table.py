"""Read a table of compositions: typed rows, and the record of those that cannot be used."""

import json
from pathlib import Path
from typing import Annotated, Any

from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import sha256_of_file, write_text
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.rejects import check_rejected_fraction
from polyfacet.sources.tables.description import table_source
from polyfacet.sources.tables.reading import (
    REJECTED_ROWS,
    element_features,
    read_rows,
    rows_schema,
)


def main(
    rows: Path,
    rejected: Path,
    summary: Path,
    *,
    table: str,
    description: Annotated[dict[str, Any], Key("tables.table")],
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
) -> None:
    """Read the table.

    Parameters
    ----------
    rows, rejected, summary
        Outputs: the checked rows; the others, with line and reason; counts, features and the file's digest.
    table
        Name of the table.
    description
        Its file and the meaning of its columns: fields of
        `polyfacet.sources.tables.description.TableSource`.
    max_rejected_fraction
        Share of rejects above which the stage stops.
    """
    source = table_source(table, description)
    kept, rejects = read_rows(table, source)
    write_table(rejected, [vars(reject) for reject in rejects], REJECTED_ROWS)
    n_read = len(kept) + len(rejects)
    reasons = [reject.reason for reject in rejects]
    check_rejected_fraction(len(rejects), n_read, max_rejected_fraction, f"table {table}", reasons)
    elements = element_features(kept, source)
    table_rows = [
        {
            "mat_id": row.mat_id,
            "formula": row.formula,
            "line": row.line,
            "features": [*(row.amounts.get(symbol, 0.0) for symbol in elements), *row.process],
            **row.targets,
        }
        for row in kept
    ]
    write_table(rows, table_rows, rows_schema(source.objectives))
    facts = {
        "file": source.file,
        "sha256": sha256_of_file(Path(source.file)),
        "n_read": n_read,
        "n_rejected": len(rejects),
        "n_compositions": len({row["formula"] for row in table_rows}),
        "features": [*elements, *source.process],
    }
    write_text(summary, json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
