"""The cells of a run as one table, and the tables and rankings that follow from it."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from polyfacet.facets.registry import Facet, combination_name
from polyfacet.materials.targets import Target
from polyfacet.runtime.parquet import column
from polyfacet.training.cards import Card

BASELINES = ("mean", "median")

CELLS = pa.schema(
    [
        column("row", pa.string(), "facet combination, or the name of a dummy predictor"),
        column("target", pa.string(), "property that is predicted"),
        column("split", pa.string(), "which repeat of the split"),
        column("status", pa.string(), "ok or failed"),
        column("reason", pa.string(), "why the cell failed", nullable=True),
        column(
            "mae", pa.float64(), "mean absolute error on the test part", "unit of the target", nullable=True
        ),
        column("mase", pa.float64(), "MAE / mean absolute deviation of the test targets", nullable=True),
        column("rmse", pa.float64(), "root mean squared error", "unit of the target", nullable=True),
        column("r2", pa.float64(), "coefficient of determination", nullable=True),
        column(
            "n_train",
            pa.int64(),
            "materials trained on, validation rows included where they are",
        ),
        column("n_valid", pa.int64(), "materials that chose the epoch or the checkpoints"),
        column("n_test", pa.int64(), "materials tested on"),
        column("n_missing", pa.int64(), "materials that lack a facet of the combination or the target"),
        column("tested", pa.string(), "digest of the identifiers of the materials tested on"),
        column("contains_answer", pa.bool_(), "whether a facet shows the target itself"),
        column("engine", pa.string(), "what was trained"),
        column("wall_time_s", pa.float64(), "time of the cell", "s"),
        column("peak_memory_mib", pa.float64(), "peak memory of the cell", "MiB"),
    ]
)


def cell_row(card: Card, baseline: str | None = None) -> dict[str, object]:
    """Flatten a card to a row of ``CELLS``; a dummy predictor's row has its name instead of facets."""
    metrics = card.metrics.model_dump() if card.metrics else dict.fromkeys(("mae", "mase", "rmse", "r2"))
    return {
        "row": baseline or combination_name([Facet(name) for name in card.facets]),
        **card.model_dump(
            include={"target", "split", "status", "reason", "tested", "contains_answer", "engine"}
        ),
        **metrics,
        **card.counts.model_dump(),
        **card.cost.model_dump(include={"wall_time_s", "peak_memory_mib"}),
    }


def pivot(cells: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Arrange a metric as the study does: combinations down, targets across.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    metric
        Column of it, ``mae`` or ``mase``.

    Returns
    -------
    pandas.DataFrame
        Mean over the repeats; NaN where a repeat failed or the metric is not defined.  Rows: combinations
        from few facets to many, then the dummy predictors.  Columns: targets in their fixed order.
    """
    table = cells.pivot_table(
        index="row",
        columns="target",
        values=metric,
        aggfunc=lambda values: values.mean(skipna=False),
        dropna=False,
    )
    rows = sorted((row for row in table.index if row not in BASELINES), key=_row_order)
    columns = [target.value for target in Target if target.value in table.columns]
    return table.reindex(index=[*rows, *(row for row in BASELINES if row in table.index)], columns=columns)


def best_rows(table: pd.DataFrame) -> dict[str, str]:
    """Name the row with the lowest value of each target; a target without any value is left out."""
    return {str(name): str(values.idxmin()) for name, values in table.items() if values.notna().any()}


def answer_cells(cells: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the (row, target) pairs whose facets contain the target."""
    flagged = cells[cells["contains_answer"]]
    return set(zip(flagged["row"], flagged["target"], strict=True))


def to_markdown(table: pd.DataFrame, flagged: set[tuple[str, str]], units: Mapping[str, str]) -> str:
    """Write a table in Markdown: best value of each target in bold, a dagger on cells that see the answer."""
    best = best_rows(table)
    heads = [f"{Target(name).facts.label}{f' ({units[name]})' if units else ''}" for name in table.columns]
    lines = [_line(["facets", *heads]), _line(["---", *["---:"] * len(heads)])]
    for row in table.index:
        values = {name: table.loc[row, name] for name in table.columns}
        texts = [_cell_text(values[name], best.get(name) == row, (row, name) in flagged) for name in values]
        lines.append(_line([row, *texts]))
    return "\n".join(lines) + "\n"


def with_best(table: pd.DataFrame) -> pd.DataFrame:
    """Append a row that names the best row of each target."""
    return pd.concat([table.astype(object), pd.DataFrame(best_rows(table), index=["best"])])


def number_text(value: float, form: str) -> str:
    """Write a value of a table; a failed cell, or a MASE of test targets that are all equal, has none."""
    return "n/a" if pd.isna(value) else format(value, form)


def _row_order(row: str) -> tuple[int, list[int]]:
    order = [facet.value for facet in Facet]
    indices = [order.index(name) for name in row.split("+")]
    return len(indices), indices


def _cell_text(value: float, is_best: bool, is_flagged: bool) -> str:
    text = number_text(value, ".4g")
    text = f"**{text}**" if is_best else text
    return f"{text} †" if is_flagged else text


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
