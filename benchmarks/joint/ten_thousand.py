"""Section: the network with all facets against the best other method, in the study of 10,000 crystals."""

from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.joint.comparing import verdicts

from polyfacet.evaluation.tables import KEYS
from polyfacet.facets.registry import SEPARATOR
from polyfacet.runtime.markdown import table

NAME = "ten_thousand"
OF_THE_ENGINE = ("joint", "joint_transformer")
FULL, OTHERS = "full fusion", "best other cell"
N_REPEATS = 3
TEXT = """\
Full fusion is a network of the engine with all facets of the study (`{full}`; no pictures), with the fusion
of {engines} that has the lower loss on the validation rows; the best other cell is any of the other
methods and facets, chosen in the same way, for each objective and repeat. So far {done} of {n} repeats."""


def ten_thousand_section(folder: Path) -> list[str]:
    """Compare both on the test rows.

    Parameters
    ----------
    folder
        Folder of the kept results of studies.
    """
    path = folder / NAME
    if not (path / "README.md").exists():
        return []
    cells = _losses(path)
    is_own = cells["method"].isin(OF_THE_ENGINE)
    n_facets = cells["combination"].str.count(rf"\{SEPARATOR}") + 1
    full = cells.loc[n_facets.idxmax(), "combination"]
    chosen = {
        FULL: _chosen(cells[is_own & (cells["combination"] == full)]),
        OTHERS: _chosen(cells[~is_own]),
    }
    both = pd.DataFrame(chosen)
    left_out = both.isna().any(axis=1).sum()
    both = both.dropna()
    done = cells["repeat"].nunique()
    sizes = cells[["n_train", "n_test"]].median()
    pairs = {str(name): _pair(own) for name, own in both.groupby("objective", sort=False)}
    # The mean is the bar; the objectives are another family of tests.
    mean = {"mean": _pair(both.groupby("repeat").mean())}
    ratio = float(sizes["n_test"] / sizes["n_train"])
    tested = {
        name: verdict
        for family in (pairs, mean)
        if all(len(own) > 1 for own, _ in family.values())
        for name, verdict in verdicts(family, ratio).items()
    }
    lines = [
        [name, *(f"{losses.mean():.3f}" for losses in own), tested.get(name, "no test")]
        for name, own in (pairs | mean).items()
    ]
    means = [losses.mean() for losses in mean["mean"]]
    engines = " and ".join(f"`{name}`" for name in OF_THE_ENGINE)
    said = TEXT.format(full=full, engines=engines, done=done, n=N_REPEATS)
    lower = "lower" if means[0] < means[1] else "not lower"
    lost = f" Left out, as a side has no value: {left_out} pairs of objective and repeat." if left_out else ""
    return [
        "## Full fusion with 10,000 crystals",
        f"[The study `{NAME}`](../{NAME}/README.md). The mean loss of full fusion is {lower} than that of "
        f"the best other cells: {means[0]:.3f} and {means[1]:.3f} ({tested.get('mean', 'no test')}).{lost}"
        f"\n\n{said}",
        table(["objective", FULL, OTHERS, "full fusion is"], lines),
    ]


def _pair(own: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return own[FULL].to_numpy(), own[OTHERS].to_numpy()


def _losses(path: Path) -> pd.DataFrame:
    """Return the losses of all cells on validation and on test rows."""
    scores = pd.read_parquet(path / "scores.parquet").query("metric == 'mase' and objective != 'all'")
    validation = pd.read_parquet(path / "validation.parquet")
    cells = pd.read_parquet(path / "cells.parquet")[[*KEYS, "n_train"]]
    test = scores[[*KEYS, "value", "n_test"]]
    return validation.merge(test, on=KEYS).merge(cells, on=KEYS)


def _chosen(cells: pd.DataFrame) -> pd.Series:
    """Return the test loss of the cell that is best on the validation rows, by objective and repeat."""
    keys = ["objective", "repeat"]
    best = cells.loc[cells.groupby(keys, sort=False)["valid_loss"].idxmin()]
    return best.set_index(keys)["value"]
