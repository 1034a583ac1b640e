"""Store fitted scikit-learn pipelines in the skops format, which runs no code when read."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.classical.skops_compat import skops_io

PIPELINE_FILE, ANSWERS_FILE = "pipeline.skops", "answers.json"
# Types in this engine's pipelines in addition to those that skops trusts itself.
TRUSTED = frozenset(
    {
        "numpy.dtype",
        "polyfacet.training.engines.classical.limits.WideRange",
        "quantile_forest._quantile_forest.ExtraTreesQuantileRegressor",
        "quantile_forest._quantile_forest.RandomForestQuantileRegressor",
        "quantile_forest._quantile_forest_fast.QuantileForest",
        "sklearn.tree._tree.Tree",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)


@dataclass(frozen=True)
class FittedModel:
    """A fitted pipeline.

    Attributes
    ----------
    seen
        Indices of the classes in the training rows, all that a model can know; empty for numbers.
    exponent
        Numbers were learned as multiples of two to this power.
    """

    pipeline: Pipeline
    seen: np.ndarray
    exponent: int = 0


def write_fitted(folder: Path, fitted: FittedModel) -> None:
    """Write a fitted pipeline."""
    skops_io.dump(fitted.pipeline, folder / PIPELINE_FILE)
    answers = {"seen": fitted.seen.tolist(), "exponent": fitted.exponent}
    (folder / ANSWERS_FILE).write_text(json.dumps(answers) + "\n", encoding="utf-8")


def read_fitted(folder: Path) -> FittedModel:
    """Read a fitted pipeline.

    Raises
    ------
    UserError
        If the file holds types that do not occur in this engine's pipelines.
    """
    path = folder / PIPELINE_FILE
    untrusted = set(skops_io.get_untrusted_types(file=path))
    if foreign := untrusted - TRUSTED:
        raise UserError(f"{path} holds {', '.join(sorted(foreign))}, which no cell's model contains.")
    pipeline = skops_io.load(path, trusted=sorted(untrusted))
    answers = json.loads((folder / ANSWERS_FILE).read_text(encoding="utf-8"))
    return FittedModel(pipeline, np.array(answers["seen"], dtype=np.int64), answers["exponent"])
