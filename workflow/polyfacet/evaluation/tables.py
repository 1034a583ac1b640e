"""The results of a run as tables: cells, scores, and their summary over the repeats.

Predictions have the schema of those of cells.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from polyfacet.evaluation.roles import roles_of
from polyfacet.facets.registry import FACETS, facets_of
from polyfacet.runtime.parquet import column
from polyfacet.training.cards import Card
from polyfacet.training.cells import IDENTITY, NO_FACET

CELLS = pa.schema(
    [
        *IDENTITY,
        column("split_method", pa.string(), "method of the split"),
        column("engine", pa.string(), "engine that was trained"),
        column("label", pa.string(), "name of the objective in tables and figures"),
        column("unit", pa.string(), "unit of the objective, empty for classes"),
        column("classes", pa.list_(pa.string()), "classes of the objective; empty for numbers"),
        column("is_baseline", pa.bool_(), "whether the method uses no facets"),
        column("role_single", pa.bool_(), "whether the cell looks at exactly one facet"),
        column(
            "role_baseline", pa.bool_(), "whether it cheaply looks at the composition alone, or at nothing"
        ),
        column("role_multi", pa.bool_(), "whether it looks at several facets"),
        column("n_repeats", pa.int64(), "repeats of the split on which the method was trained"),
        column("status", pa.string(), "ok or failed"),
        column("reason", pa.string(), "why the cell failed", nullable=True),
        column(
            "cut_off",
            pa.string(),
            "why training may have been cut off before it converged",
            nullable=True,
        ),
        column("contains_answer", pa.bool_(), "whether the facets together reveal the objective"),
        column(
            "untrained",
            pa.list_(pa.string()),
            "facets whose encoder is untrained: the cell is a control, which no test may choose",
        ),
        column("n_train", pa.int64(), "materials trained on, including validation rows if trained on"),
        column("n_valid", pa.int64(), "materials that selected the epoch or the checkpoints"),
        column("n_test", pa.int64(), "materials tested on"),
        column(
            "n_missing",
            pa.int64(),
            "materials left out because they lack a facet of the combination or the objective",
        ),
        column("n_without_part", pa.int64(), "materials of the sample to which the split assigns no part"),
        column(
            "n_incomplete",
            pa.int64(),
            "materials that are not left out although they lack a facet of the combination",
        ),
        column("tested", pa.string(), "digest of the identifiers of the materials tested on"),
        column("seed", pa.int64(), "seed of training"),
        column("wall_time_s", pa.float64(), "time of the cell", "s"),
        column("peak_memory_mib", pa.float64(), "peak memory of the process", "MiB"),
    ]
)
LIMITS, SHARED_LIMITS = ("low", "high"), ("shared_low", "shared_high")
_LIMITS = tuple(
    column(
        name,
        pa.float64(),
        f"{which} limit of the 95 % interval by a bootstrap of formulas; for MAE, MASE, accuracy, macro F1",
        "that of the score",
        nullable=True,
    )
    for name, which in zip(LIMITS, ("lower", "upper"), strict=True)
)
SCORES = pa.schema(
    [
        *IDENTITY,
        column("class", pa.string(), "class of the score; all for numbers and for all classes together"),
        column("metric", pa.string(), "name of the score"),
        column(
            "value",
            pa.float64(),
            "score on the test part",
            "that of the objective for MAE and RMSE, otherwise none",
            nullable=True,
        ),
        column("reason", pa.string(), "why there is no value", nullable=True),
        column(
            "n_test",
            pa.int64(),
            "test values: those that all cells of the objective predicted, except failed ones; for the mean "
            "over objectives, their sum",
        ),
        column("n_nontrivial", pa.int64(), "test values that differ from the most frequent one"),
        *_LIMITS,
    ]
)
SUMMARY = pa.schema(
    [
        *(field for field in IDENTITY if field.name not in ("run", "repeat")),
        *(SCORES.field(name) for name in ("class", "metric")),
        column(
            "mean",
            pa.float64(),
            "mean over the repeats, without those in which no cell can have it; none if one failed",
            nullable=True,
        ),
        column("std", pa.float64(), "sample standard deviation over the repeats", nullable=True),
        column("n", pa.int64(), "repeats that the mean is over"),
        column(
            "wins", pa.float64(), "repeats in which it is better than the reference method", nullable=True
        ),
        *_LIMITS,
        column(
            "shared_mean",
            pa.float64(),
            "mean over the repeats that all methods of the objective have: means over other repeats are on "
            "other test parts and do not compare methods",
            nullable=True,
        ),
        column("shared_std", pa.float64(), "sample standard deviation over these repeats", nullable=True),
        column("shared_n", pa.int64(), "number of these repeats"),
        *(
            column(name, pa.float64(), f"{limit} of shared_mean", "that of the score", nullable=True)
            for name, limit in zip(SHARED_LIMITS, LIMITS, strict=True)
        ),
    ]
)
KEYS = [field.name for field in IDENTITY]
# Numbers of test rows beside a score.
COUNTS = ["n_test", "n_nontrivial"]
# Identity of a cell, regardless of the repeat of its split.
CELL = [name for name in KEYS if name != "repeat"]


def cell_row(
    card: Card,
    shown: Mapping[str, str],
    forms: Mapping[str, str] = MappingProxyType({}),
    n_repeats: int = 1,
    untrained: Sequence[str] = (),
) -> dict[str, Any]:
    """Flatten a card to a row of ``CELLS``.

    Parameters
    ----------
    card
        Card of the cell.
    shown
        Label and unit of its objective in tables and figures.
    forms
        Facet to the form of it that is used where a combination names none.
    n_repeats
        Number of repeats of the split on which the method was trained.
    untrained
        Facets whose encoder is untrained.
    """
    facts = card.model_dump()
    roles = roles_of(card.combination, card.engine, forms, card.settings)
    cut_off = card.course.cut_off if card.course else None
    own = {"n_repeats": n_repeats, "untrained": list(untrained), "cut_off": cut_off}
    flat = {**facts, **facts["counts"], **facts["cost"], **shown, **roles, **own}
    return {name: flat[name] for name in CELLS.names}


def order_of_combination(combination: str) -> tuple[int, list[int]]:
    """Return the sort key of a combination: the number of its facets, then the facets."""
    if combination == NO_FACET:
        return 0, []
    order = list(FACETS.all())
    places = [order.index(facet.base) for facet in facets_of(combination)]
    return len(places), places
