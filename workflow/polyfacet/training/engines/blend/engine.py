"""Average the predictions of several methods, each on some of the facets of a combination."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from operator import or_
from pathlib import Path

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import link_folder, write_text
from polyfacet.splits.parts import TRAIN, VALID
from polyfacet.training.engines.base import Engine, EngineError, ProbabilisticEngine, Resources, ValidationUse
from polyfacet.training.engines.blend.outputs import Array, as_outputs, average, outputs_of
from polyfacet.training.engines.blend.parts import Part, facets_without_part, parts_of
from polyfacet.training.engines.blend.settings import BlendMember, BlendSettings
from polyfacet.training.engines.blend.weights import blend_weights
from polyfacet.training.engines.creation import create, load
from polyfacet.training.fitting import fit_and_predict
from polyfacet.training.seen_rows import what_engines_see

WEIGHTS_FILE = "weights.json"


@dataclass(frozen=True)
class WeightedPart:
    """A part of a fitted blend.

    Attributes
    ----------
    weight
        Its share of the average.
    model
        Its fitted engine, or the folder of its saved model.
    """

    part: Part
    weight: float
    model: Engine | Path


class Blend(ProbabilisticEngine):
    """Methods that are trained on some of the facets each, and averaged.

    Runs do not call `fit`: their blends take predictions and models from the cells of the members
    (`polyfacet.training.blending`).
    """

    def __init__(self, settings: BlendSettings, resources: Resources, name: str = "") -> None:
        super().__init__(settings, resources, name)
        self._members = {each.method: each for each in _resolved(settings)}
        uses = [create(each.engine, each.settings, resources).validation_use for each in self.members]
        own = ValidationUse.CHOICE if settings.chooses else ValidationUse.NOTHING
        self.validation_use = reduce(or_, uses, own)
        self._weighted: tuple[WeightedPart, ...] = ()

    @property
    def members(self) -> list[BlendMember]:
        """The methods that are averaged."""
        return list(self._members.values())

    @property
    def weights(self) -> dict[Part, float]:
        """Weight of each part of the fitted blend; those with the weight 0 are left out."""
        return {each.part: each.weight for each in self._weighted}

    def parts(self, facets: Sequence[Facet]) -> list[Part]:
        """Return the parts of a blend of a combination.

        Raises
        ------
        UserError
            If no member is trained on some facet.
        """
        parts = parts_of(facets, self.members, self.settings.of)
        if missing := facets_without_part(facets, parts):
            raise UserError(
                f"no member of the blend {self.name} is trained on {combination_name(missing)}"
                f"{' alone' if self.settings.of == 'facets' else ''}"
            )
        return parts

    def fitted_weights(self, parts: Sequence[Part], outputs: Array, truth: Array) -> Array:
        """Return the weights of parts that follow from predictions for the validation rows.

        Parameters
        ----------
        parts
            The parts.
        outputs
            Their predictions, shape (parts, rows, outputs); see `polyfacet.training.engines.blend.outputs`.
        truth
            True values, shape (rows, outputs).
        """
        alternatives = [part.combination for part in parts] if self.settings.of == "facets" else None
        return blend_weights(outputs, truth, alternatives, fitted=self.settings.weights == "validation")

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Fit each part, and the weights on predictions for validation rows that no part was fitted on.

        Raises
        ------
        UserError
            If no member is trained on some facet.
        EngineError
            If a member cannot learn from these data, or there are no validation rows to choose by.
        """
        if self.settings.chooses and valid.empty:
            raise EngineError("no validation rows are left to choose weights by")
        rows = pd.concat([train, valid], ignore_index=True)
        split = pd.DataFrame({"part": [TRAIN] * len(train) + [VALID] * len(valid), "group": rows["mat_id"]})
        parts = self.parts(self.facets)
        engines: list[Engine] = []
        outputs: list[Array] = []
        for part in parts:
            member = self._members[part.method]
            engine = create(member.engine, member.settings, self.resources)
            seen = what_engines_see(rows, part.facets)
            answers = fit_and_predict(engine, seen, rows[objective.column], split, part.facets, objective)
            outputs.append(as_outputs(*answers, objective)[len(train) :])
            engines.append(engine)
        truth = as_outputs(valid[objective.column].to_numpy(), None, objective)
        weights = self.fitted_weights(parts, np.stack(outputs), truth)
        self._weighted = _without_zeros(
            [WeightedPart(*each) for each in zip(parts, weights.tolist(), engines, strict=True)]
        )

    def adopt(self, facets: Sequence[Facet], objective: Objective, weighted: Sequence[WeightedPart]) -> None:
        """Take the weights and the saved models of finished cells instead of fitting."""
        self.facets, self._objective = tuple(facets), objective
        self._weighted = _without_zeros(weighted)

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        mean = self._average(frame)
        if not self.objective.classes:
            return mean[:, 0]
        return np.array(self.objective.classes, dtype=object)[mean.argmax(axis=1)]

    @property
    def has_probabilities(self) -> bool:
        """Whether all parts have probabilities; votes of others are averaged, but are none."""
        engines = [self._engine(each) for each in self._weighted]
        return all(isinstance(each, ProbabilisticEngine) and each.has_probabilities for each in engines)

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the mean probability of each class, shape ``(len(frame), classes)``."""
        return self._average(frame)

    def write_model(self, folder: Path) -> None:
        """Write the weights, and the model of each part into ``<method>/<combination>``."""
        written = [{**asdict(each.part), "weight": each.weight} for each in self._weighted]
        write_text(folder / WEIGHTS_FILE, json.dumps(written, indent=2) + "\n")
        for each in self._weighted:
            home = folder / each.part.method / each.part.combination
            home.parent.mkdir(exist_ok=True)
            if isinstance(each.model, Engine):
                each.model.save(home)
            else:
                link_folder(each.model, home)

    def read_model(self, folder: Path) -> None:
        """Read the weights and the models of the parts."""
        written = json.loads((folder / WEIGHTS_FILE).read_text(encoding="utf-8"))
        self._weighted = tuple(
            WeightedPart(
                Part(each["method"], each["combination"]),
                each["weight"],
                load(folder / each["method"] / each["combination"], self.resources.threads),
            )
            for each in written
        )

    def _average(self, frame: pd.DataFrame) -> Array:
        outputs = [outputs_of(self._engine(each), frame) for each in self._weighted]
        return average(np.stack(outputs), np.array([each.weight for each in self._weighted]))

    def _engine(self, weighted: WeightedPart) -> Engine:
        if isinstance(weighted.model, Engine):
            return weighted.model
        return load(weighted.model, self.resources.threads)


def _resolved(settings: BlendSettings) -> list[BlendMember]:
    """Return the members.

    Raises
    ------
    UserError
        If one is only a name: which method it means is known to a run.
    """
    names = [each for each in settings.members if isinstance(each, str)]
    if names:
        raise UserError(
            f"a blend outside a run cannot know the methods {', '.join(names)}: state `method`, `engine`, "
            "`settings` and `combinations` of each member"
        )
    return [each for each in settings.members if isinstance(each, BlendMember)]


def _without_zeros(weighted: Sequence[WeightedPart]) -> tuple[WeightedPart, ...]:
    return tuple(each for each in weighted if each.weight)
