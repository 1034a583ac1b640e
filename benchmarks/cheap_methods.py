"""Compare settings of the cheap methods on the composition images of a finished run: error and time per fit.

Usage: python benchmarks/cheap_methods.py results/default/crystals/formula-0

Scores are the mean MASE over the seven predefined objectives and three divisions by group, drawn from the
training and validation part: the test part of the run stays unseen.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from polyfacet.facets.registry import COMPIMAGE
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.splits.parts import TEST
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.row_tables import RowTables

DIVISIONS = GroupShuffleSplit(3, test_size=0.15, random_state=1)
BOOSTING = {"subsample": 0.8, "colsample_bytree": 0.3, "tree_method": "hist", "max_bin": 64}
SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ridge", {"alpha": 1.0}),
    ("ridge", {"alpha": 100.0}),
    *(
        ("extra_trees", {"n_estimators": n, "max_features": share})
        for n, share in ((100, 1.0), (200, 0.3), (100, 0.3), (60, 0.3))
    ),
    *(
        ("xgboost", {"n_estimators": n, "learning_rate": rate, "max_depth": depth, **BOOSTING})
        for n, rate, depth in ((200, 0.08, 6), (200, 0.08, 4), (100, 0.1, 4), (60, 0.15, 4))
    ),
)


def main() -> None:
    """Print error and processor time of each setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("split", type=Path, help="folder of a split of crystals")
    rows = rows_of(parser.parse_args().split)
    print("| model | hyperparameters | MASE | s per fit |\n| --- | --- | ---: | ---: |")
    for model, hyperparameters in SETTINGS:
        start, errors = time.process_time(), list(errors_of(model, hyperparameters, rows))
        per_fit = (time.process_time() - start) / len(errors)
        shown = ", ".join(
            f"{name} {value}" for name, value in hyperparameters.items() if name not in BOOSTING
        )
        print(f"| {model} | {shown} | {np.mean(errors):.3f} | {per_fit:.3f} |", flush=True)


def rows_of(split: Path) -> pd.DataFrame:
    """Read the materials outside the test part that have a composition image."""
    tables = sorted((split / "composition_images").glob("shard-*.parquet"))
    tables = [path for path in tables if "rejected" not in path.name]
    rows = RowTables(
        split.parent / "sample" / "sample.parquet",
        split / "split.parquet",
        list(CRYSTAL_OBJECTIVES.built_in),
        {COMPIMAGE: tables},
    ).read()
    has_image = rows["facets"].map(lambda facets: COMPIMAGE.name in facets)
    return rows[has_image & (rows["part"] != TEST)].reset_index(drop=True)


def errors_of(model: str, hyperparameters: dict[str, Any], rows: pd.DataFrame) -> list[float]:
    """Fit and predict each objective on each division; return the MASE of each."""
    errors = []
    for objective in (CRYSTAL_OBJECTIVES.get(name).objective for name in CRYSTAL_OBJECTIVES.built_in):
        known = rows[np.isfinite(rows[objective.column].astype(float))]
        for train, test in DIVISIONS.split(known, groups=known["group"]):
            engine = create("classical", {"model": model, "hyperparameters": hyperparameters}, Resources(1))
            engine.fit(known.iloc[train], known.iloc[:0], (COMPIMAGE,), objective)
            true = known.iloc[test][objective.column].to_numpy(float)
            error = np.abs(engine.predict(known.iloc[test]) - true).mean()
            errors.append(float(error / np.abs(true - true.mean()).mean()))
    return errors


if __name__ == "__main__":
    main()
