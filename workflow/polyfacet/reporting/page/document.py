"""The sections of a report, in order."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.reporting.page.contributions import contributions
from polyfacet.reporting.page.costs import costs
from polyfacet.reporting.page.errors import error_groups, worst_predictions
from polyfacet.reporting.page.explanations import explanations
from polyfacet.reporting.page.heatmaps import heatmaps
from polyfacet.reporting.page.leakage import leakage
from polyfacet.reporting.page.materials import materials_section
from polyfacet.reporting.page.parts import Part, Section
from polyfacet.reporting.page.predictions import parity_plots
from polyfacet.reporting.page.provenance import provenance
from polyfacet.reporting.page.representations import representations
from polyfacet.reporting.page.results import Results
from polyfacet.reporting.page.retrieval import retrieval
from polyfacet.reporting.page.scores import score_tables
from polyfacet.reporting.page.summary import summary
from polyfacet.reporting.page.tested import tested_comparisons
from polyfacet.reporting.page.uncertainty import uncertainty


def sections_of_report(
    results: Results,
    materials: Sequence[Part],
    pictures: Mapping[str, Path],
    about: Mapping[str, Any],
    beside_scores: Sequence[Part] = (),
    searched: Sequence[pd.DataFrame] = (),
    measured: Sequence[pd.DataFrame] = (),
    explained: Sequence[Path] = (),
) -> list[Section]:
    """Return all sections of the report.

    Parameters
    ----------
    results
        The evaluation.
    materials
        Parts on the materials of the run.
    pictures
        Crystal to its picture.
    about
        See `polyfacet.reporting.page.provenance.provenance`.
    beside_scores
        Parts after the tables of scores: published ones.
    searched
        Tables of retrieval.
    measured
        Tables of measures of representations.
    explained
        Folders of explanations.
    """
    scores = score_tables(results)
    return [
        summary(results),
        Section(scores.name, scores.title, scores.lead, [*scores.parts, *beside_scores]),
        heatmaps(results),
        contributions(results),
        tested_comparisons(results),
        parity_plots(results),
        error_groups(results),
        worst_predictions(results, pictures),
        leakage(results),
        *retrieval(searched),
        *representations(measured),
        *explanations(explained, results),
        uncertainty(results),
        costs(results),
        materials_section(materials),
        provenance(results, about),
    ]
