"""Build the table of element properties and record its origin."""

import json
from pathlib import Path

from polyfacet.facets.compimage.element_sources import load_element_table
from polyfacet.facets.compimage.element_table import write_elements
from polyfacet.runtime.files import sha256_of_file, write_text


def main(element_table: Path, provenance: Path, *, source: Path | None = None) -> None:
    """Build the table.

    Parameters
    ----------
    element_table, provenance
        Outputs: elements x properties as Parquet; origin, digests, releases and imputed values as JSON.
    source
        CSV of element properties; None uses XenonPy's data set if it is installed, otherwise a rebuild.
    """
    sourced = load_element_table(source, Path.home())
    write_elements(element_table, sourced.table)
    facts = {
        **sourced.provenance,
        "n_elements": len(sourced.table),
        "n_properties": sourced.table.shape[1],
        "n_missing": int(sourced.table.isna().sum().sum()),
        "table_sha256": sha256_of_file(element_table),
    }
    write_text(provenance, json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
