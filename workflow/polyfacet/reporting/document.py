"""Insert the findings and tables of a finished comparison into docs/mcvn.md."""

from pathlib import Path

from polyfacet.config.generated_text import with_generated
from polyfacet.runtime.environment_path import PROJECT
from polyfacet.runtime.files import write_text


def main(
    tables: Path = PROJECT / "results" / "mcvn" / "report" / "tables.md",
    document: Path = PROJECT / "docs" / "mcvn.md",
) -> None:
    """Rewrite the results in a document.

    Parameters
    ----------
    tables
        Findings and tables of a run's report.
    document
        Markdown with the markers of ``results``.
    """
    text, results = (path.read_text(encoding="utf-8") for path in (document, tables))
    write_text(document, with_generated(text, "results", results.strip()))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main)
