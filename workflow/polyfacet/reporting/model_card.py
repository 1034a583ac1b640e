"""The model card of a bundle: data, split, metrics with confidence intervals, limits.

The front matter is that of model cards on the Hugging Face hub.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from polyfacet.evaluation.conformal import why_not_calibrated
from polyfacet.evaluation.metrics import scores_of_classes, scores_of_numbers
from polyfacet.evaluation.score_names import ALL
from polyfacet.facets.registry import facet_named
from polyfacet.reporting.numbers import number_text
from polyfacet.runtime.markdown import plain, table
from polyfacet.training.bundles.description import BundleDescription
from polyfacet.training.cards import Card

# Resamples of the test materials for confidence intervals, and the level of these.
N_RESAMPLES = 200
CONFIDENCE = 0.95
# Fewer test materials say nothing about their own spread.
MIN_ROWS = 10
DAGGER = (
    "A facet of this model shows the structure, from which this property can be read off: a low error is no "
    "achievement."
)


def model_card(
    bundle: BundleDescription, card: Card, calibration: pd.DataFrame, files: Sequence[str] = ()
) -> str:
    """Write the model card of a bundle.

    Parameters
    ----------
    bundle
        What the bundle says of itself.
    card
        Card of the cell.
    calibration
        Predictions for the test materials.
    files
        Names of the files and folders of the source.
    """
    objective, cell = bundle.objective, bundle.cell
    label = plain(objective.label or objective.column)
    unit = f", in {plain(objective.unit)}" if objective.unit else ""
    kind = f"one of {', '.join(map(plain, objective.classes))}" if objective.classes else f"a number{unit}"
    facets = ", ".join(plain(_facet_text(facet.name, facet.form)) for facet in bundle.facets)
    sections = [
        f"---\n{yaml.safe_dump(_front_matter(bundle), sort_keys=False)}---",
        f"# {label} from {plain(cell.combination)}, {plain(cell.method)}",
        f"A bundle of Polyfacet. It predicts {label}, {kind}, from {facets or 'nothing: a baseline'}.",
        "```bash\npolyfacet predict FOLDER_OF_THIS_FILE new_materials --output predictions.csv\n```",
        "## Data and split",
        table(("", ""), _facts(bundle, card, files), n_left=2),
        "## Metrics",
        f"On the {len(calibration)} test materials, {_use_of_test(bundle)}. Intervals: "
        f"{CONFIDENCE:.0%}, bootstrap over test materials ({N_RESAMPLES} resamples, percentiles).",
        _metrics(bundle, calibration),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(bundle, card, calibration)),
    ]
    return "\n\n".join(sections) + "\n"


def _use_of_test(bundle: BundleDescription) -> str:
    if bundle.calibrated:
        return "which trained and chose nothing"
    return "which trained and chose nothing, except that a facet was fitted on them (`composition.fit: all`)"


def _front_matter(bundle: BundleDescription) -> dict[str, Any]:
    classes = bool(bundle.objective.classes)
    return {
        "library_name": "polyfacet",
        "tags": ["materials-science", "polyfacet", f"engine:{bundle.cell.engine}"],
        "pipeline_tag": "tabular-classification" if classes else "tabular-regression",
        "metrics": ["accuracy", "f1"] if classes else ["mae", "mase", "r2"],
    }


def _facet_text(name: str, form: str) -> str:
    return f"{name} ({form})" if form and form not in name else name


def _facts(bundle: BundleDescription, card: Card, files: Sequence[str]) -> list[tuple[str, str]]:
    cell, counts = bundle.cell, card.counts
    facts = {
        "run, source": f"{cell.run}, {cell.source}",
        "files of the source": ", ".join(files) or "not known",
        "split": f"{cell.split} (method {cell.split_method}), repeat {cell.repeat}",
        "trained on": f"{counts.n_train} materials",
        "chosen by": f"{counts.n_valid} materials",
        "tested on": f"{counts.n_test} materials",
        "left out": f"{counts.n_missing} materials without a facet or a value",
        "used although they lack a facet": counts.n_incomplete and f"{counts.n_incomplete} materials",
        "engine, seed": f"{cell.engine}, {card.seed}",
    }
    return [(name, plain(value)) for name, value in facts.items() if value]


def _metrics(bundle: BundleDescription, rows: pd.DataFrame) -> str:
    classes = bundle.objective.classes
    if classes:
        names: Mapping[str, str] = {"accuracy": "accuracy", "macro_f1": "macro F1"}
        true, predicted = rows["true_class"].to_numpy(), rows["predicted_class"].to_numpy()
    else:
        unit = f" ({plain(bundle.objective.unit)})" if bundle.objective.unit else ""
        names = {"mae": f"MAE{unit}", "mase": "MASE", "rmse": f"RMSE{unit}", "r2": "R²"}
        true, predicted = rows["y_true"].to_numpy(float), rows["y_pred"].to_numpy(float)

    if not len(rows):
        return "There are no test materials."

    def scores(true: NDArray[Any], predicted: NDArray[Any]) -> list[float]:
        all_scores = (
            scores_of_classes(true, predicted, classes)[ALL]
            if classes
            else scores_of_numbers(true, predicted)
        )
        return [all_scores[name] for name in names]

    values = scores(true, predicted)
    limits = _confidence_limits(scores, true, predicted)
    lines = [
        (label, number_text(value, ".4g"), " to ".join(number_text(limit, ".4g") for limit in low_high))
        for label, value, low_high in zip(names.values(), values, limits, strict=True)
    ]
    return table(("metric", "value", "interval"), lines)


def _confidence_limits(
    scores: Callable[[NDArray[Any], NDArray[Any]], list[float]],
    true: NDArray[Any],
    predicted: NDArray[Any],
) -> list[tuple[float, float]]:
    """Return the percentile bootstrap interval of each score; NaN with too few test materials."""
    n = len(true)
    if n < MIN_ROWS:
        return [(math.nan, math.nan)] * len(scores(true, predicted))
    generator = np.random.default_rng(0)
    draws = generator.integers(n, size=(N_RESAMPLES, n))
    found = np.array([scores(true[draw], predicted[draw]) for draw in draws])
    outside = (1 - CONFIDENCE) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a score may be undefined in all resamples
        limits = np.nanquantile(found, [outside, 1 - outside], axis=0)
    return [(float(low), float(high)) for low, high in limits.T]


def _limit_of_intervals(bundle: BundleDescription, calibration: pd.DataFrame) -> str:
    if reason := why_not_calibrated(calibration, bundle.objective.classes, bundle.calibrated):
        return f"Predictions have no intervals or sets of classes: {reason}."
    what = "Sets of classes" if bundle.objective.classes else "Intervals"
    return (
        f"{what} of new predictions hold their level for materials that are drawn like the test materials. "
        "For others, they may not: look at the distance."
    )


def _limits(bundle: BundleDescription, card: Card, calibration: pd.DataFrame) -> list[str]:
    comparison = bundle.comparison
    limits = [
        _limit_of_intervals(bundle, calibration),
        "A material is flagged as unlike the training set beyond a distance of "
        f"{comparison.threshold:.3g}, the {comparison.quantile:.0%} quantile of the training materials' own "
        "distances to their nearest neighbour.",
        "The model knows what its source computes or measures, with the errors of that source.",
    ]
    if card.contains_answer:
        limits.append(DAGGER)
    for facet in bundle.facets:
        network = facet_named(facet.name).network
        if network and card.objective in network.learned:
            limits.append(
                f"{facet.name} consists of numbers of {network.identity}. Test materials may have been among "
                "those: on really new ones, the errors may be larger."
            )
    if bundle.plugins:
        names = ", ".join(dict.fromkeys(plain(each.plugin) for each in bundle.plugins))
        limits.append(f"It needs plug-ins that are not in the bundle: {names}.")
    return limits
