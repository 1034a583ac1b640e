"""Search 10,000 crystals by their facets, repeat by repeat, and keep the tables as a document.

The workflow renders, trains and searches (rule `search_facets`, config/studies/retrieval.yaml). The tables of
finished repeats are joined in FOLDER/retrieval.parquet, from which a page is written. Repeats in it are not
run again. Remove it after a change of the configuration or the engine.

    python -m benchmarks.retrieval --repeats 3 --cores 2
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
from benchmarks.retrieval.page import write_page

from polyfacet.evaluation.retrieval.schema import RETRIEVAL
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.runtime.progress import tell

N_REPEATS = 3
CONFIG = "config/studies/retrieval.yaml"
CRYSTALS = Path("results/retrieval/crystals")
FOLDER = Path("docs/results/retrieval")


def main() -> None:
    """Run what is missing, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=N_REPEATS, help="stop after the first N repeats")
    parser.add_argument("--cores", type=int, default=1, help="cores for the workflow")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results are kept")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    options = parser.parse_args()
    table = options.folder / "retrieval.parquet"
    known = read_table(table, RETRIEVAL) if table.exists() else RETRIEVAL.empty_table().to_pandas()
    for repeat in range(0 if options.page else options.repeats):
        if repeat in set(known["repeat"]):
            continue
        _search(repeat + 1, options.cores)
        found = map(read_table, sorted((CRYSTALS / f"formula-{repeat}" / "retrieval").glob("*.parquet")))
        # Simple methods are in the table of each foundation.
        known = pd.concat([known, *found]).drop_duplicates(
            [name for name in RETRIEVAL.names if name not in ("value", "low", "high")], ignore_index=True
        )
        write_table(table, known, RETRIEVAL)
    tell(str(write_page(known, options.folder, N_REPEATS)))


def _search(repeats: int, cores: int) -> None:
    """Run the workflow until the materials of the first repeats are searched."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", CONFIG]
    options = ["--config", f"splits={{formula: {{repeats: {repeats}}}}}", "--until", "search_facets"]
    subprocess.run([*command, *options, "--quiet", "rules", "reason", "host"], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
