"""Check the contract of engines: what every cell relies on, tested on rows that you provide.

Run it on your own engine before you trust its numbers::

    use_plugins(["plugins/my_engine.py"])
    check_engine("my_engine", {}, rows, facets, objectives, folder)
"""

import copy
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.registry import Facet, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.base import (
    Engine,
    EngineError,
    ProbabilisticEngine,
    Resources,
    ValidationUse,
)
from polyfacet.training.engines.broken_contract import demand
from polyfacet.training.engines.checked_foundation import FoundationCheck
from polyfacet.training.engines.creation import create, engine_class, load
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.hidden_facets import with_hidden_facets, with_one_facet
from polyfacet.training.engines.own_process import Answer, predict_alone
from polyfacet.training.engines.probabilities import (
    EQUAL_WITHIN,
    check_probabilities,
    class_probabilities,
)
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.seen_rows import what_engines_see

# Shares of the rows used for training and validation; the rest is only predicted.
TRAINED_ON, VALIDATED_BY = 0.6, 0.2
# Sizes of batches that are predicted in addition to all rows at once, single rows among them.
SUBSETS = (slice(0, 1), slice(-1, None), slice(1, None, 3))
# Validation rows with absurd answers: how often each is repeated, to outnumber the training rows; how far off
# they are, in standard deviations; and by what share of that predictions move if they are learned.
COPIES, OFF_BY, FOLLOWED = 10, 100.0, 0.05
# File times come from a clock that ticks every few milliseconds.
TICK_S = 0.02


def check_engine(
    name: str,
    settings: Mapping[str, Any],
    rows: pd.DataFrame,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
    folder: Path,
    resources: Resources | None = None,
) -> None:
    """Check an engine against the contract of `polyfacet.training.engines.base.Engine`.

    Two faults are not found: an engine that trains on validation rows for classes only but declares that it
    only selects by them (see `_Trial._check_validation_rows`); and files outside the model's folder that
    a compiled library reads (see `polyfacet.training.engines.own_process`).

    Parameters
    ----------
    name
        Name by which it is declared.
    settings
        Settings that make it fast.
    rows
        Rows of the dataset table with the facets and the objectives, at least 20, in no order.
    facets
        A combination that it can use; empty for a baseline.
    objectives
        Objectives to learn: numbers, and classes if it declares them.
    folder
        Existing folder for its files.
    resources
        Encoders and other resources, for engines that need them.

    Raises
    ------
    BrokenContractError
        If the engine violates the contract.
    """
    declared = ENGINES.get(name)
    given = resources or Resources(seed=1)
    _check_declaration(declared, facets)
    began, trials = time.time(), []
    time.sleep(TICK_S)
    predicted = [each for each in objectives if declared.classes or not each.classes]
    rows = rows.reset_index(drop=True)
    if declared.missing:
        rows = with_hidden_facets(rows, facets)
    founded = None
    if declared.foundation:
        train = rows[: round(TRAINED_ON * len(rows))]
        founded = FoundationCheck(declared, settings, train, tuple(facets), predicted, folder, given)
        given = founded.checked()
    for objective in predicted:
        trial = _Trial(declared, settings, rows, facets, objective, folder / objective.column, given, founded)
        trial.check()
        trials.append(trial)
    answers = predict_alone(
        [trial.moved for trial in trials], [trial.seen() for trial in trials], since=began
    )
    for trial, answer in zip(trials, answers, strict=True):
        trial.check_alone(answer)


def _check_declaration(declared: EngineDeclaration, facets: Sequence[Facet]) -> None:
    found = engine_class(declared.name)
    demand(issubclass(found, Engine), declared.name, "its class is not a subclass of Engine")
    demand(
        issubclass(found, ProbabilisticEngine) == declared.probabilities,
        declared.name,
        "it declares `probabilities` but is not a ProbabilisticEngine, or vice versa",
    )
    demand(
        any("pretrain" in vars(each) for each in found.__mro__ if each is not Engine) == declared.foundation,
        declared.name,
        "it declares a `foundation` but has no pretrain(), or vice versa",
    )
    demand(
        all(map(declared.looks_at, facets)) and declared.is_baseline == (not facets),
        declared.name,
        "it declares that it does not use these facets",
    )


class _Trial:
    """An engine on one objective."""

    def __init__(
        self,
        declared: EngineDeclaration,
        settings: Mapping[str, Any],
        rows: pd.DataFrame,
        facets: Sequence[Facet],
        objective: Objective,
        folder: Path,
        resources: Resources,
        founded: FoundationCheck | None,
    ) -> None:
        self.declared, self.settings = declared, settings
        self.facets, self.objective, self.folder = tuple(facets), objective, folder
        n_train, n_valid = round(TRAINED_ON * len(rows)), round(VALIDATED_BY * len(rows))
        self.train, self.valid = rows[:n_train], rows[n_train : n_train + n_valid]
        self.rows = rows
        folder.mkdir()
        self.moved = folder / "moved"
        self.predicted = np.empty(0)
        self.resources, self.founded = resources, founded

    def check(self) -> None:
        """Check every clause."""
        engine = self._new()
        self._check_not_fitted(engine)
        # pandas does not copy arrays that are values of cells.
        before = self.rows.map(copy.deepcopy).astype(self.rows.dtypes)
        engine.fit(self.train, self.valid, self.facets, self.objective)
        self.predicted = predicted = engine.predict(self.rows)
        self._demand(self.rows.equals(before), "it changes the rows that it is given")
        self._check_kind(predicted)
        self._check_blindness(engine, predicted)
        self._check_probabilities(engine, predicted)
        self._check_description(engine)
        self._check_saving(engine, predicted)
        again = self._new()
        again.fit(self.train, self.valid, self.facets, self.objective)
        self._demand(self._equal(again.predict(self.rows), predicted), "the same seed predicts differently")
        self._check_validation_use(engine, predicted)
        self._check_without_validation(engine)
        self._check_validation_rows(engine, predicted)
        self._check_foundation_is_used(predicted)
        self._check_hidden_facets(engine)
        self._check_incomplete_rows(predicted)

    def seen(self) -> pd.DataFrame:
        """Return the rows as cells pass them, which may be written and read elsewhere."""
        rows = what_engines_see(self.rows, self.facets)
        pictures = {
            column: rows[column].map(lambda path: str(Path(path).resolve()), na_action="ignore")
            for facet in self.facets
            if facet.kind == "image"
            for column in shown_columns(facet, rows.columns)
        }
        return rows.assign(**pictures)

    def check_alone(self, answer: Answer) -> None:
        """Check the predictions of a process that has only the saved model."""
        foreign = ", ".join(answer.foreign)
        self._demand(not foreign, f"a saved model needs {foreign}, outside its folder")
        if answer.predicted is None:
            self._demand(False, f"a saved model fails to predict in a separate process ({answer.error})")
            return
        self._demand(
            self._equal(np.array(answer.predicted, dtype=self.predicted.dtype), self.predicted),
            "a saved model predicts differently in a separate process",
        )

    def _new(self) -> Engine:
        return create(self.declared.name, self.settings, self.resources)

    def _check_not_fitted(self, engine: Engine) -> None:
        try:
            engine.predict(self.rows)
        except RuntimeError:
            return
        self._demand(False, "it predicts before it is fitted")

    def _check_kind(self, predicted: np.ndarray) -> None:
        if self.objective.classes:
            foreign = set(predicted) - set(self.objective.classes)
            self._demand(not foreign, f"it predicts {foreign}, which are not classes of the objective")
        else:
            self._demand(bool(np.isfinite(predicted).all()), "it predicts numbers that are not finite")

    def _check_blindness(self, engine: Engine, predicted: np.ndarray) -> None:
        unanswered = self.rows.drop(columns=self.objective.column)
        self._demand(
            self._equal(engine.predict(unanswered), predicted), "predictions depend on the true answer"
        )
        shuffled = self.rows.sample(frac=1.0, random_state=3)
        self._demand(
            self._equal(engine.predict(shuffled), predicted[shuffled.index]),
            "the prediction of a row depends on the other rows, or on their order",
        )
        for subset in SUBSETS:
            few = unanswered[subset].reset_index(drop=True)
            self._demand(
                self._equal(engine.predict(few), predicted[subset]),
                "the prediction of a row depends on the other rows, their number or index",
            )
        self._demand(
            self._equal(engine.predict(_renamed(unanswered)), predicted),
            "predictions depend on the identifiers of the rows, by which an engine may recognize them",
        )

    def _check_probabilities(self, engine: Engine, predicted: np.ndarray) -> None:
        if not (self.objective.classes and isinstance(engine, ProbabilisticEngine)):
            return
        probabilities = engine.predict_probabilities(self.rows)
        try:
            check_probabilities(probabilities, self.objective, len(self.rows))
        except (RuntimeError, EngineError) as error:
            self._demand(False, str(error))
        likeliest = np.array(self.objective.classes, dtype=object)[probabilities.argmax(axis=1)]
        self._demand(bool((likeliest == predicted).all()), "it does not predict the most probable class")
        shuffled = self.rows.sample(frac=1.0, random_state=3).drop(columns=self.objective.column)
        again = engine.predict_probabilities(shuffled)
        self._demand(
            bool(np.allclose(again, probabilities[shuffled.index], atol=EQUAL_WITHIN)),
            "its probabilities depend on the other rows, on their order or on chance",
        )

    def _check_description(self, engine: Engine) -> None:
        described = engine.describe()
        try:
            json.dumps(described)
        except TypeError as error:
            self._demand(False, f"the result of describe() cannot be written as JSON ({error})")
        given = self.declared.settings(**self.settings).model_dump(mode="json", exclude_unset=True)
        missing = set(given) - set(described)
        self._demand(not missing, f"describe() leaves out {', '.join(sorted(missing))}")

    def _check_saving(self, engine: Engine, predicted: np.ndarray) -> None:
        engine.save(self.folder / "saved")
        loaded = load((self.folder / "saved").rename(self.moved))
        self._demand(loaded.facets == self.facets, "a loaded model does not know its facets")
        self._demand(self._equal(loaded.predict(self.rows), predicted), "a loaded model predicts differently")
        if (before := class_probabilities(engine, self.rows)) is not None:
            after = class_probabilities(loaded, self.rows)
            self._demand(
                after is not None and bool(np.allclose(after, before, atol=EQUAL_WITHIN)),
                "a loaded model returns different probabilities",
            )

    def _check_validation_use(self, engine: Engine, predicted: np.ndarray) -> None:
        """Check that validation rows change nothing if no use of them is declared."""
        if engine.validation_use is not ValidationUse.NOTHING:
            return
        other = self._new()
        other.fit(self.train, self.valid[:1], self.facets, self.objective)
        self._demand(
            self._equal(other.predict(self.rows), predicted),
            "it declares no use of validation rows, but they change its predictions",
        )

    def _check_without_validation(self, engine: Engine) -> None:
        """Check that an engine that trains on validation rows and does not select by them needs none."""
        if engine.validation_use is not ValidationUse.TRAINING:
            return
        alone = engine.unfitted()
        try:
            alone.fit(self.train, self.valid[:0], self.facets, self.objective)
        except (ValueError, IndexError, EngineError) as error:
            self._demand(False, f"it cannot be fitted without validation rows ({error})")
        self._check_kind(alone.predict(self.valid))

    def _check_validation_rows(self, engine: Engine, predicted: np.ndarray) -> None:
        """Distinguish rows that are trained on from rows that select, by validation rows with absurd answers.

        Predictions follow answers that were trained on, no matter how far off.  An engine that selects has
        candidates that know nothing of these answers: it may pick the one that predicts most, or least, but
        none as far off.  So that a diverged candidate raises no alarm, predictions must follow upward and
        downward.  An engine that learns so little that they move by less than `FOLLOWED` is not detected.

        Classes cannot be far off: among candidates that each predict a different class, any may be correct to
        select.  An engine's behaviour on numbers has to represent that on classes.
        """
        use = engine.validation_use
        if self.objective.classes or use is ValidationUse.NOTHING:
            return
        up = self._predicted_after(OFF_BY)
        if ValidationUse.TRAINING in use:
            self._demand(
                not self._equal(up, predicted),
                "it declares that it trains on validation rows, but their answers change nothing",
            )
        elif self._follows(up - predicted) and self._follows(predicted - self._predicted_after(-OFF_BY)):
            self._demand(False, "it declares that it only selects by validation rows, but it trains on them")

    def _check_foundation_is_used(self, predicted: np.ndarray) -> None:
        """Check that an engine with an empty foundation fails or predicts something else."""
        if self.founded is None:
            return
        nothing = self.folder / "no_foundation"
        nothing.mkdir()
        engine = create(self.declared.name, self.settings, replace(self.resources, foundation=nothing))
        try:
            engine.fit(self.train, self.valid, self.facets, self.objective)
            found = engine.predict(self.rows)
        # What is missing shows in any error.
        except Exception:
            return
        self._demand(not self._equal(found, predicted), "it declares a foundation, but cells do not use it")

    def _check_hidden_facets(self, engine: Engine) -> None:
        """Check that rows are predicted by what is left of them, even if the engine has seen the rest before.

        An engine may remember the facets of a material that it was fitted on, and find them by identifier.
        """
        if not self.declared.missing:
            return
        complete = self.rows[[len(left) == len(self.facets) for left in self.rows["facets"]]]
        for facet in self.facets:
            few = with_one_facet(complete, facet, self.facets)
            predicted = engine.predict(few)
            self._check_kind(predicted)
            self._demand(
                self._equal(engine.predict(_renamed(few)), predicted),
                f"it remembers facets that are hidden: with {facet.name} alone, predictions depend on the "
                "identifiers of the rows",
            )

    def _check_incomplete_rows(self, predicted: np.ndarray) -> None:
        """Check that an engine learns from rows that lack facets: predictions follow their answers."""
        if not self.declared.missing or self.objective.classes or len(self.facets) < 2:
            return
        lacks = np.array([len(left) < len(self.facets) for left in self.train["facets"]])
        answers = self.train[self.objective.column]
        moved = self.train.assign(**{self.objective.column: answers + lacks * OFF_BY * self._scale})
        resources = self.resources
        if self.founded is not None and self.declared.foundation_learns:
            resources = self.founded.made_from(moved, f"moved_{self.objective.column}")
        engine = create(self.declared.name, self.settings, resources)
        engine.fit(moved, self.valid, self.facets, self.objective)
        self._demand(
            not self._equal(engine.predict(self.rows), predicted),
            "it declares that it learns from rows that lack facets, but their answers change nothing",
        )

    def _predicted_after(self, off_by: float) -> np.ndarray:
        """Fit with validation answers far off, and predict."""
        copies = [self.valid.assign(mat_id=self.valid["mat_id"] + f"-{number}") for number in range(COPIES)]
        planted = pd.concat(copies, ignore_index=True)
        planted[self.objective.column] += off_by * self._scale
        engine = self._new()
        engine.fit(self.train, planted.set_index(planted.index + len(self.rows)), self.facets, self.objective)
        return engine.predict(self.rows)

    def _follows(self, differences: np.ndarray) -> bool:
        return float(differences[self.valid.index].mean()) > FOLLOWED * OFF_BY * self._scale

    @property
    def _scale(self) -> float:
        return float(np.std(self.train[self.objective.column])) or 1.0

    def _equal(self, first: np.ndarray, second: np.ndarray) -> bool:
        if self.objective.classes:
            return bool((first == second).all())
        return bool(np.allclose(first, second, rtol=EQUAL_WITHIN, atol=EQUAL_WITHIN * self._scale))

    def _demand(self, holds: bool, what: str) -> None:
        demand(holds, self.declared.name, f"{self.objective.column}: {what}")


def _renamed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows under other identifiers."""
    return rows.assign(mat_id="other-" + rows["mat_id"])
