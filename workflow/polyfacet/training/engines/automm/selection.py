"""Select the checkpoints of a training that are kept.

AutoGluon 1.6.3 asks a `Scorer` whether greater is better.  Every `Scorer` says yes, but the compared scores
have their original sign: for errors such as MAE and log loss, the worst checkpoint is kept, and
averages that make it worse are accepted.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from polyfacet.training.engines.base import EngineError

SELECTION_FILE = "selection.json"

Method = Literal["greedy_soup", "best", "uniform_soup"]


@dataclass(frozen=True)
class Selection:
    """The checkpoints that a training could choose from, and those it kept."""

    method: Method
    metric: str
    lower_is_better: bool
    # Checkpoint file to its score on the validation rows, best first.
    candidates: Mapping[str, float]
    # The candidates that are averaged to form the model.
    kept: Sequence[str]
    # Score of the model on the validation rows.
    score: float
    # Score of each validation during the training.
    validations: Sequence[float] = ()

    def save(self, folder: Path) -> None:
        """Write the selection into the folder of the model."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        (folder / SELECTION_FILE).write_text(text, encoding="utf-8")


def select(
    checkpoints: Sequence[str],
    score_of: Callable[[Sequence[str]], float],
    method: Method,
    metric: str,
    lower_is_better: bool,
) -> Selection:
    """Choose the checkpoints whose average becomes the model.

    Parameters
    ----------
    checkpoints
        The checkpoints to choose from.
    score_of
        Returns the validation score of the average of some checkpoints; NaN if it has none.
    method
        ``best`` keeps the best checkpoint, ``uniform_soup`` the average of all.  ``greedy_soup`` starts from
        the best one and proceeds from good to bad; it adds a checkpoint to the average if that does not
        make the score worse (Wortsman et al. 2022, "Model soups", arXiv:2203.05482, recipe 1).
    metric, lower_is_better
        Name of the score, and whether lower is better.

    Raises
    ------
    EngineError
        If no checkpoint has a score that is a number, or their average has none.
    """
    sign = 1 if lower_is_better else -1
    scores = {path: score_of([path]) for path in checkpoints}
    ranked = sorted((path for path in scores if math.isfinite(scores[path])), key=lambda p: sign * scores[p])
    if not ranked:
        raise EngineError("training diverged: no epoch has a finite validation score. Lower learning_rate.")
    kept, score = [ranked[0]], scores[ranked[0]]
    if method == "uniform_soup" and len(ranked) > 1:
        kept, score = ranked, score_of(ranked)
        if not math.isfinite(score):
            raise EngineError("training diverged: the average of its best checkpoints has no finite score")
    elif method == "greedy_soup":
        for path in ranked[1:]:
            candidate = score_of([*kept, path])
            if sign * candidate <= sign * score:
                kept, score = [*kept, path], candidate
    return Selection(method, metric, lower_is_better, {path: scores[path] for path in ranked}, kept, score)
