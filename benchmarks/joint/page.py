"""The page of results."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from benchmarks.joint import texts
from benchmarks.joint.comparing import N_TEST, N_TRAIN_PART
from benchmarks.joint.experiments import EXPERIMENTS
from benchmarks.joint.results import Results
from benchmarks.joint.sections import dedicated_section, missing_section
from benchmarks.joint.sections_of_fusions import fusions_section, shares_section
from benchmarks.joint.sections_of_robustness import robustness_section
from benchmarks.joint.ten_thousand import ten_thousand_section

from polyfacet.runtime.files import write_text
from polyfacet.runtime.markdown import table

COMMAND = "python -m benchmarks.joint --repeats 5"
INTRODUCTION = f"# One network for all facets\n\n`{COMMAND}`\n\n{texts.ALL}"
SECTIONS = {
    "dedicated": dedicated_section,
    "missing": missing_section,
    "fusions": fusions_section,
    "shares": shares_section,
    "robustness": robustness_section,
}


def write_page(results: Results, n_repeats: int) -> Path:
    """Write the page and its figures from the kept results.

    Parameters
    ----------
    results
        The results.
    n_repeats
        Number of repeats when all is finished.

    Returns
    -------
    Path
        The page.
    """
    tables = {name: results[name] for name in EXPERIMENTS}
    parts = [INTRODUCTION, _finished(tables, n_repeats), *_not_there(tables, results.folder.parent)]
    for name, section in SECTIONS.items():
        if len(tables[name]):
            parts += section(tables, results.folder, n_repeats)
    parts += ten_thousand_section(results.folder.parent)
    path = results.folder / "README.md"
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def _finished(tables: dict[str, pd.DataFrame], n_repeats: int) -> str:
    """Say which repeats are finished, and how many rows they have."""
    lines: list[Sequence[str]] = []
    for name, own in tables.items():
        done = f"{own['repeat'].nunique()} of {n_repeats}"
        sizes = [own.loc[own["quantity"] == quantity, "value"].mean() for quantity in (N_TRAIN_PART, N_TEST)]
        lines.append([f"`{name}`", done, *("" if pd.isna(size) else f"{size:.0f}" for size in sizes)])
    return table(["experiment", "finished repeats", "training rows", "test rows"], lines)


def _not_there(tables: dict[str, pd.DataFrame], studies: Path) -> list[str]:
    """Say which experiments have no finished repeat."""
    lacking = [f"`{name}` ({texts.LACKING[name]})" for name, own in tables.items() if own.empty]
    said = [f"No repeat is finished yet of {'; '.join(lacking)}."] if lacking else []
    return said if ten_thousand_section(studies) else [*said, texts.NOT_BEGUN]
