"""Hyperparameters that are tried out: the model with the best validation score is kept."""

import logging
import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from autogluon.multimodal import MultiModalPredictor
from scipy.stats import loguniform, uniform
from sklearn.model_selection import ParameterSampler

from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.training.cards import Course, Trial
from polyfacet.training.engines.automm.selection import Selection
from polyfacet.training.engines.automm.settings import Range, Search
from polyfacet.training.engines.base import EngineError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """A trained predictor, the folder in which AutoGluon has saved it, and how it came about."""

    predictor: MultiModalPredictor
    home: Path
    hyperparameters: Mapping[str, Any]
    course: Course
    selection: Selection

    def is_better_than(self, other: "Training") -> bool:
        """Return whether its validation score is better."""
        sign = 1 if self.selection.lower_is_better else -1
        return sign * self.selection.score < sign * other.selection.score


# Trains with hyperparameters of a search until a deadline (monotonic time, s).
Train = Callable[[Mapping[str, Any], float | None], Training]


def best_training(
    search: Search | None, seconds: float | None, seed: int, train: Train
) -> tuple[Training, list[Trial]]:
    """Train with the hyperparameters of each trial.

    Parameters
    ----------
    search
        What to try out; None for a single training.
    seconds
        Seconds for all trials, of which each gets an equal share; None for no limit.
    seed
        Seed of the search.
    train
        Trains once.

    Returns
    -------
    tuple
        The training with the best validation score, and all trials; none without a search.

    Raises
    ------
    EngineError
        If the data cannot be learned from, or all trials failed.
    """
    if search is None:
        return train({}, _deadline(seconds, 1, time.monotonic())), []
    best: Training | None = None
    trials: list[Trial] = []
    failure = EngineError("no trial was made")
    start, every = time.monotonic(), values_of_trials(search, seed)
    for i, values in enumerate(every):
        began = time.monotonic()
        if trials and began - start > (search.seconds or math.inf):
            logger.info("the search ends after %d of %d trials: its time is over", i, len(every))
            break
        left = None if seconds is None else seconds - (began - start)
        try:
            found = train(values, _deadline(left, len(every) - i, began))
        except EngineError as error:
            raise_machine_failure(error)
            failure, found = error, None
        took = round(time.monotonic() - began, 1)
        score, reason = (found.selection.score, None) if found else (None, str(failure))
        trials.append(Trial(values=dict(values), score=score, reason=reason, seconds=took))
        if found and (best is None or found.is_better_than(best)):
            best, found = found, best
        if found:
            shutil.rmtree(found.home)
    if best is None:
        raise failure
    return best, trials


def _deadline(seconds: float | None, n_trainings: int, now: float) -> float | None:
    """Return the time by which a training must end that shares some seconds with later ones."""
    return None if seconds is None else now + seconds / n_trainings


def values_of_trials(search: Search, seed: int) -> list[dict[str, Any]]:
    """Draw the hyperparameters of each trial; the first trial has those of the settings, and so changes none.

    Parameters
    ----------
    search
        What to search.
    seed
        Seed of the draws.
    """
    space = search.space
    sampled = {name: _distribution(of) if isinstance(of, Range) else of for name, of in space.items()}
    n_grid = math.prod(math.inf if isinstance(of, Range) else len(of) for of in space.values())
    drawn = ParameterSampler(sampled, int(min(search.trials - 1, n_grid)), random_state=seed)
    return [{}, *({name: _value(space[name], value) for name, value in each.items()} for each in drawn)]


def _distribution(of: Range) -> Any:
    # Whole numbers are rounded, so both ends get the share of the numbers between them.
    low, high = (of.low - 0.5, of.high + 0.5) if of.is_whole else (of.low, of.high)
    return loguniform(low, high) if of.log else uniform(low, high - low)


def _value(of: Range | list[Any], drawn: Any) -> Any:
    if not isinstance(of, Range):
        # numpy draws from a list of numbers as numbers of its own.
        return drawn.item() if isinstance(drawn, np.generic) else drawn
    return int(min(max(round(drawn), of.low), of.high)) if of.is_whole else float(drawn)
