"""The engine: cells of one network for all facets, all their subsets and all objectives."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import link_file, sha256_of_file
from polyfacet.training.engines.base import (
    EngineError,
    ProbabilisticEngine,
    Resources,
    ValidationUse,
    check_converged,
)
from polyfacet.training.engines.joint.foundation import (
    RECORD_FILE,
    WEIGHTS_FILE,
    Foundation,
    probabilities_of,
    train_foundation,
)
from polyfacet.training.engines.joint.heads import REPRESENTATION, as_rows, new_head
from polyfacet.training.engines.joint.outputs import Outputs
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.numeric_facets import Array
from polyfacet.training.engines.training_rows import RowsInMemory, TrainingRows

CELL_FILE, HEAD_FOLDER = "cell.json", "head"


class Joint(ProbabilisticEngine):
    """A subset of the facets and an objective of the network that all cells of a split share.

    Nothing is trained but the head, if it is not the network's own output.
    """

    _network: Foundation

    def __init__(self, settings: JointSettings, resources: Resources, name: str = "") -> None:
        super().__init__(settings, resources, name)
        self._head = new_head(settings, resources)
        # A head of its own is trained on them; the network never is.
        self.validation_use = ValidationUse.NOTHING if self._head is None else self._head.validation_use
        self._files = {} if resources.foundation is None else _files_in(resources.foundation)

    @classmethod
    def pretrain(
        cls,
        settings: JointSettings,
        rows: pd.DataFrame,
        facets: Sequence[Facet],
        objectives: Sequence[Objective],
        folder: Path,
        resources: Resources,
    ) -> None:
        """Train the network on the training part, on all objectives."""
        cls.pretrain_streaming(settings, RowsInMemory(rows), facets, objectives, folder, resources)

    @classmethod
    def pretrain_streaming(
        cls,
        settings: JointSettings,
        rows: TrainingRows,
        facets: Sequence[Facet],
        objectives: Sequence[Objective],
        folder: Path,
        resources: Resources,
    ) -> None:
        """Train it on rows of which only some are in memory."""
        train_foundation(settings, rows, facets, objectives, resources).save(folder)

    @classmethod
    def represent(
        cls,
        settings: JointSettings,
        rows: pd.DataFrame,
        views: Sequence[Sequence[Facet]],
        folder: Path,
        untrained_seed: int | None = None,
    ) -> list[Array]:
        """Represent rows; see `polyfacet.training.engines.base.Engine.represent`."""
        network = Foundation.load(folder, settings)
        if untrained_seed is not None:
            network = network.untrained(settings, untrained_seed)
        return [network.representations(rows, view) for view in views]

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Read the foundation, and fit the head on the rows of ``train`` and ``valid``.

        Raises
        ------
        UserError
            If there is no foundation.
        EngineError
            If the network has not learned the objective, or the head cannot be fitted.
        """
        if self.resources.foundation is None:
            raise UserError("the engine joint needs its foundation: call pretrain() first")
        self._network = Foundation.load(self.resources.foundation, self.settings)
        if self._head is not None:
            self._head.fit(self._represented(train), self._represented(valid), (REPRESENTATION,), objective)
        elif not self._network.objectives.learned(objective):
            why = self._network.record["left_out"].get(objective.column, "it was not given")
            raise EngineError(f"the joint network has not learned {objective.column}: {why}")

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        if self._head is not None:
            return self._head.predict(self._represented(frame))
        if self.objective.classes:
            likeliest = self.predict_probabilities(frame).argmax(axis=1)
            return np.array(self.objective.classes, dtype=object)[likeliest]
        return self._numbers(self._outputs(frame))

    @property
    def has_probabilities(self) -> bool:
        """Whether the head has probabilities; that of the network has."""
        return self._head is None or self._head.has_probabilities

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, shape ``(len(frame), classes)``."""
        if self._head is not None:
            return self._head.predict_probabilities(self._represented(frame))
        number = list(self._network.objectives.classes).index(self.objective.column)
        return probabilities_of(self._outputs(frame).classes[number])

    def predict_subsets(self, frame: pd.DataFrame) -> dict[tuple[str, ...], Array]:
        """Predict the objective from each non-empty subset of the cell's facets, by the network's own output.

        Returns
        -------
        dict
            Names of the facets to numbers, shape ``(rows,)``, or to probabilities, shape ``(rows, classes)``.
        """
        outputs = self._network.outputs_of_subsets(frame, self.facets)
        if self.objective.classes:
            number = list(self._network.objectives.classes).index(self.objective.column)
            return {subset: probabilities_of(each.classes[number]) for subset, each in outputs.items()}
        return {subset: self._numbers(each) for subset, each in outputs.items()}

    def facet_weights(self, frame: pd.DataFrame) -> dict[str, Array] | None:
        """Return the share of each facet in the representation of each row; None if the fusion has none."""
        weights = self._network.facet_weights(frame, self.facets)
        if weights is None:
            return None
        return {reader.name: weights[:, n] for n, reader in enumerate(self._network.readers)}

    def write_model(self, folder: Path) -> None:
        """Link the foundation, and write the head."""
        for name, path in self._files.items():
            link_file(path, folder / name)
        digests = {name: sha256_of_file(path) for name, path in self._files.items()}
        (folder / CELL_FILE).write_text(
            json.dumps({"foundation": digests}, indent=2) + "\n", encoding="utf-8"
        )
        if self._head is not None:
            (folder / HEAD_FOLDER).mkdir()
            self._head.write_model(folder / HEAD_FOLDER)

    def read_model(self, folder: Path) -> None:
        """Read the foundation and the head.

        Raises
        ------
        UserError
            If the foundation in the folder is not the one that the cell was made with.
        """
        digests = json.loads((folder / CELL_FILE).read_text(encoding="utf-8"))["foundation"]
        for name, digest in digests.items():
            if sha256_of_file(folder / name) != digest:
                raise UserError(f"{folder / name} is not the network of this cell. Copy the model again.")
        self._files, self._network = _files_in(folder), Foundation.load(folder, self.settings)

    def restore(self, folder: Path, facets: Sequence[Facet], objective: Objective) -> None:
        """Restore the engine that saved its model in a folder."""
        super().restore(folder, facets, objective)
        if self._head is not None:
            self._head.restore(folder / HEAD_FOLDER, (REPRESENTATION,), objective)

    def encoder_identities(self) -> dict[str, str]:
        """Return the digest of the network, which is the same for all facets."""
        weights = self._files.get(WEIGHTS_FILE)
        if weights is None or not weights.is_file():
            return {}
        digest = sha256_of_file(weights)
        return {facet.name: f"joint network sha256:{digest}" for facet in self.facets}

    def _outputs(self, frame: pd.DataFrame) -> Outputs:
        return self._network.outputs(frame, self.facets)

    def _numbers(self, outputs: Outputs) -> Array:
        learned = self._network.objectives
        values = learned.scale.restore(outputs.numbers.double().numpy())
        answers = values[:, learned.numbers.index(self.objective.column)]
        check_converged(answers)
        return np.asarray(answers)

    def _represented(self, frame: pd.DataFrame) -> pd.DataFrame:
        return as_rows(self._outputs(frame).representation.double().numpy(), frame)


def _files_in(folder: Path) -> dict[str, Path]:
    """Return the files of a foundation, by name."""
    return {name: folder / name for name in (WEIGHTS_FILE, RECORD_FILE)}
