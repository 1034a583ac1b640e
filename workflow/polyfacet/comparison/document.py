"""Put the findings and tables of a finished comparison into docs/mcvn.md: each number from its run."""

from pathlib import Path

from polyfacet.files import write_text
from polyfacet.marked_section import with_section

PROJECT = Path(__file__).resolve().parents[3]
BEGIN = "<!-- begin: results, written by python -m polyfacet.comparison.document -->"
END = "<!-- end: results -->"


def main(
    tables: Path = PROJECT / "results" / "mcvn" / "report" / "tables.md",
    document: Path = PROJECT / "docs" / "mcvn.md",
) -> None:
    """Rewrite the results in a document.

    Parameters
    ----------
    tables
        What a run's report has of findings and tables.
    document
        Markdown with the markers ``BEGIN`` and ``END``.
    """
    text, results = (path.read_text(encoding="utf-8") for path in (document, tables))
    write_text(document, with_section(text, BEGIN, END, results))


if __name__ == "__main__":
    from polyfacet.job import run

    run(main)
