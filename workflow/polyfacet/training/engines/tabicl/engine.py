"""TabICL as an engine: a pretrained network that reads the training rows as context of its predictions."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import link_file, sha256_of_file
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.training.engines.base import (
    EngineError,
    ProbabilisticEngine,
    Resources,
    ValidationUse,
    check_converged,
)
from polyfacet.training.engines.numeric_facets import Array, check_facets, original_features
from polyfacet.training.engines.scaling import Scaling
from polyfacet.training.engines.tabicl.settings import TabiclSettings
from polyfacet.training.engines.tabicl.tabicl_compat import Classifier, Regressor, convert_checkpoint

OF_NUMBERS, OF_CLASSES = "numbers.safetensors", "classes.safetensors"
WEIGHTS_FILE, CONTEXT_FILE, MODEL_FILE = "weights.safetensors", "context.safetensors", "tabicl.json"


class TabiclEngine(ProbabilisticEngine):
    """A pretrained network with the training rows of a cell; no weight is changed.

    It always runs on one processor thread, so that predictions do not depend on their number.  The weights
    are the foundation of the method: read from the checkpoint once, and shared by all models.
    """

    # They are part of the context.
    validation_use = ValidationUse.TRAINING
    _weights: Path
    _inputs: Scaling
    # Of numbers.
    _answers: Scaling | None
    # Indices of the classes in the context, all that the network can predict.
    _seen: np.ndarray
    # Scaled features, shape (rows, columns), and scaled answers or positions in ``_seen``, shape (rows,).
    _context: dict[str, Array]
    _model: Any

    @classmethod
    def pretrain(
        cls,
        settings: Any,
        rows: pd.DataFrame,
        facets: Sequence[Facet],
        objectives: Sequence[Objective],
        folder: Path,
        resources: Resources,
    ) -> None:
        """Convert the checkpoints; the network was pretrained by its authors, on synthetic tables."""
        named = {OF_NUMBERS: settings.checkpoint, OF_CLASSES: settings.class_checkpoint}
        for name, checkpoint in named.items():
            if checkpoint is not None:
                convert_checkpoint(Path(checkpoint), folder / name, of_classes=name == OF_CLASSES)

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Make the rows of ``train`` and ``valid`` the context.

        Raises
        ------
        UserError
            If a facet is not numeric, or the foundation is missing.
        EngineError
            If there is no checkpoint for classes, or for numbers, or TabICL rejects the data.
        """
        check_facets("tabicl", self.facets, train)
        self._weights = self._weights_for(objective)
        rows = pd.concat([train, valid])
        features, values = original_features(rows, self.facets), rows[objective.column]
        self._inputs = Scaling.fit(features, limited=True)
        self._context = {"features": self._inputs.scale(features), "answers": self._read(values, objective)}
        self._model = self._fitted()

    def _read(self, values: pd.Series, objective: Objective) -> Array:
        """Return what the context says of an objective: scaled numbers, or positions in ``_seen``."""
        self._answers, self._seen = None, np.array([], dtype=np.int64)
        if objective.classes:
            self._seen, positions = np.unique(values.map(objective.classes.index), return_inverse=True)
            return positions.astype(np.float64)
        numbers = values.to_numpy(np.float64)[:, None]
        self._answers = Scaling.fit(numbers)
        return self._answers.scale(numbers)[:, 0]

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        if self._answers is None:
            probabilities = self.predict_probabilities(frame)
            return np.array(self.objective.classes, dtype=object)[probabilities.argmax(axis=1)]
        with one_thread():
            outputs = self._model.predict(self._features(frame), output_type=self.settings.statistic)
        check_converged(np.asarray(outputs))
        return self._answers.restore(np.asarray(outputs, dtype=np.float64)[:, None])[:, 0]

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, shape ``(len(frame), classes)``."""
        with one_thread():
            found = np.asarray(self._model.predict_proba(self._features(frame)), dtype=np.float64)
        check_converged(found)
        probabilities = np.zeros((len(frame), len(self.objective.classes)))
        probabilities[:, self._seen] = found / found.sum(axis=1, keepdims=True)
        return probabilities

    def write_model(self, folder: Path) -> None:
        """Write the context, and link the weights."""
        link_file(self._weights, folder / WEIGHTS_FILE)
        save_file(self._context, folder / CONTEXT_FILE)
        model = {
            "inputs": asdict(self._inputs),
            "answers": asdict(self._answers) if self._answers else None,
            "seen": self._seen.tolist(),
        }
        (folder / MODEL_FILE).write_text(json.dumps(model) + "\n", encoding="utf-8")

    def read_model(self, folder: Path) -> None:
        """Read the context and the weights."""
        model = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        self._weights, self._context = folder / WEIGHTS_FILE, load_file(folder / CONTEXT_FILE)
        self._inputs = Scaling(**model["inputs"])
        self._answers = Scaling(**model["answers"]) if model["answers"] else None
        self._seen = np.array(model["seen"], dtype=np.int64)
        self._model = self._fitted()

    def encoder_identities(self) -> dict[str, str]:
        """Return the digest of the weights, which are the same for all facets."""
        return {facet.name: f"TabICL sha256:{sha256_of_file(self._weights)}" for facet in self.facets}

    def _weights_for(self, objective: Objective) -> Path:
        if self.resources.foundation is None:
            raise UserError("the engine tabicl needs its foundation: call pretrain() first")
        settings: TabiclSettings = self.settings
        name, what, key = OF_NUMBERS, "numbers", "checkpoint"
        if objective.classes:
            name, what, key = OF_CLASSES, "classes", "class_checkpoint"
        if getattr(settings, key) is None:
            raise EngineError(f"there is no checkpoint for {what}: name one in the setting `{key}`")
        return self.resources.foundation / name

    def _features(self, frame: pd.DataFrame) -> Array:
        return self._inputs.scale(original_features(frame, self.facets))

    def _fitted(self) -> Any:
        """Return TabICL's estimator with the context."""
        estimator = (Regressor if self._answers else Classifier)(
            n_estimators=self.settings.n_estimators,
            model_path=self._weights,
            allow_auto_download=False,
            use_amp=False,
            use_fa3=False,
            random_state=self.resources.seed,
        )
        answers = self._context["answers"]
        try:
            with one_thread():
                estimator.fit(
                    self._context["features"], answers if self._answers else answers.astype(np.int64)
                )
        except ValueError as error:
            raise_machine_failure(error)
            raise EngineError(f"TabICL cannot read these rows: {error}") from error
        return estimator
