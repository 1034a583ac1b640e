"""How the loss falls with the number of training materials, from splits that train on different shares."""

from pathlib import Path

import pandas as pd

from polyfacet.evaluation.choices import best
from polyfacet.evaluation.common_rows import RIVALS
from polyfacet.evaluation.tables import KEYS, order_of_combination
from polyfacet.reporting.naming import facets_text
from polyfacet.runtime.markdown import plain, table
from polyfacet.training.cells import NO_FACET
from polyfacet.use.study.figures import draw_curves
from polyfacet.use.study.losses import loss_text, mean_over_objectives

# Sizes that differ by less are splits of one size.
SPREAD = 1.5


def learning_curve(
    folder: Path, cells: pd.DataFrame, validated: pd.DataFrame, tested: pd.DataFrame
) -> list[str]:
    """Write the curve of each source: parts of a page in Markdown, and a figure.

    Parameters
    ----------
    folder
        Folder of the figures.
    cells
        Kept facts of all cells (`records.KEPT_FACTS`).
    validated, tested
        As for `polyfacet.evaluation.choices.choose`.

    Returns
    -------
    list of str
        Nothing for sources without splits of one method that train on different numbers of materials.
    """
    parts = []
    for source, own in cells.groupby("source", sort=False):
        sizes = own.groupby("split", sort=False)["n_train"].median().sort_values()
        if own["split_method"].nunique() == 1 and sizes.iloc[-1] > SPREAD * sizes.iloc[0]:
            losses = _losses(validated[validated["source"] == source], tested, own["objective"].nunique())
            losses = losses.reindex(columns=sizes.index)
            # Names have no hyphens, so that this is not the figure of a split.
            name = f"learning-curve-{source}.svg"
            draw_curves(folder / name, losses.set_axis(sizes.to_numpy(), axis="columns"))
            heads = [f"{size:.0f} trained on" for size in sizes]
            lines = [
                [row, *map(loss_text, values)]
                for row, values in zip(losses.index, losses.to_numpy(), strict=True)
            ]
            parts.append(f"## Learning curve: {plain(str(source))}")
            parts.append(
                "Mean loss over the objectives of the method that validation rows choose for each "
                "combination of facets; medians of the numbers of materials."
            )
            parts += [table(["facets", *heads], lines), f"![Loss by number of training materials]({name})"]
    return parts


def _losses(validated: pd.DataFrame, tested: pd.DataFrame, n_objectives: int) -> pd.DataFrame:
    """Return the mean loss over objectives and repeats, facets by splits; missing if an objective is."""
    with_facets = validated[validated["combination"] != NO_FACET]
    chosen = best(with_facets, [*RIVALS, "combination"]).merge(tested, on=KEYS, validate="one_to_one")
    losses = mean_over_objectives(chosen, ["combination", "split"], n_objectives).unstack()
    losses = losses.loc[sorted(losses.index, key=order_of_combination)]
    return losses.set_axis([facets_text(name) for name in losses.index])
