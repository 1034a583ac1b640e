"""The page of a study: what is finished, and a section for each source and split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polyfacet.evaluation.choices import choose
from polyfacet.evaluation.contributions import attribute
from polyfacet.evaluation.losses import losses_on_test, with_validation_losses
from polyfacet.evaluation.verdicts import compare_roles
from polyfacet.reporting.naming import pretrained_legend
from polyfacet.runtime.files import write_text
from polyfacet.runtime.markdown import plain, table
from polyfacet.use.study.curve import learning_curve
from polyfacet.use.study.records import Place, Records
from polyfacet.use.study.section import Baseline, Section

HOW_TO_READ = """\
Loss: MASE for numbers (MAE / mean absolute deviation of the test values; 1 is as good as always predicting
their mean), 1 - macro F1 for classes; means over repeats. Test rows choose nothing. Verdicts follow from
tests over the repeats ([comparisons](../../evaluation.md)); all other comparisons are description.
`cells.parquet`, `validation.parquet` and `scores.parquet` have every score behind this page. A dagger (†)
marks values of cells whose facets reveal the objective. Means over objectives are of cells that have all of
them."""


def write_page(
    records: Records,
    config: Mapping[str, Any],
    places: Sequence[Place],
    command: str,
    baseline: Baseline | None,
) -> Path:
    """Write the page and its figures.

    Parameters
    ----------
    records
        Kept scores.
    config
        Configuration of the run.
    places
        Source, split and repeat of everything that the run has when it is finished.
    command
        Command that writes this page.
    baseline
        Method and combination of the cell that the chosen ones are compared with; None for none.

    Returns
    -------
    Path
        The page.
    """
    cells, scores = records["cells"], records["scores"]
    validated = with_validation_losses(cells, records["validation"])
    tested = losses_on_test(scores)
    chosen = choose(validated, tested)
    shares, _ = attribute(cells, validated, tested)
    whole = {
        "cells": cells,
        "scores": scores,
        "tested": tested,
        "chosen": chosen,
        "verdicts": compare_roles(chosen, cells),
        "shares": shares,
    }
    how = f"`{command}`\n\n{HOW_TO_READ} {pretrained_legend(cells)}".rstrip()
    parts = [f"# {plain(config['run_name'])}", how, _finished(records, places)]
    for source, split in cells[["source", "split"]].drop_duplicates().itertuples(index=False, name=None):
        own = {
            name: rows[(rows["source"] == source) & (rows["split"] == split)] for name, rows in whole.items()
        }
        parts += Section(source, split, baseline=baseline, **own).parts(records.folder)
    parts += learning_curve(records.folder, cells, validated, tested)
    path = records.folder / "README.md"
    write_text(path, "\n\n".join(part for part in parts if part) + "\n")
    return path


def _finished(records: Records, places: Sequence[Place]) -> str:
    """Say which repeats are finished."""
    done = records.finished()
    lines = []
    for source, split in dict.fromkeys(place[:2] for place in places):
        own = [place for place in places if place[:2] == (source, split)]
        lines.append([plain(source), f"`{split}`", f"{len(done.intersection(own))} of {len(own)}"])
    return table(["source", "split", "finished repeats"], lines, n_left=2)
