"""The engine: networks that attend to the elements of a formula."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from polyfacet.materials.objectives import Objective
from polyfacet.networks.threads import one_thread
from polyfacet.training.engines.attention.network import AttentionNetwork
from polyfacet.training.engines.attention.training import train as train_network
from polyfacet.training.engines.base import ProbabilisticEngine, ValidationUse, check_converged
from polyfacet.training.engines.formulas import Formulas, read_formulas
from polyfacet.training.engines.scaling import Scaling

MODEL_FILE = "attention.json"
ROWS_AT_ONCE = 4096


class Attention(ProbabilisticEngine):
    """Networks for the text facet and one objective.

    Nothing is chosen by validation rows, so these are trained on as well.  Networks run on one thread, so
    that weights do not depend on the thread count.
    """

    # They are trained on.
    validation_use = ValidationUse.TRAINING
    _networks: list[AttentionNetwork]
    _classes: tuple[str, ...]
    # Of numeric answers.
    _answers: Scaling | None

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Train on the rows of ``train`` and ``valid``.

        Raises
        ------
        UserError
            If a text is no formula.
        EngineError
            If training diverges.
        """
        rows = pd.concat([train, valid])
        self._classes = objective.classes
        if objective.classes:
            self._answers = None
            answers = torch.tensor(rows[objective.column].map(self._classes.index).to_numpy(np.int64))
        else:
            values = rows[[objective.column]].to_numpy(np.float64)
            self._answers = Scaling.fit(values)
            answers = torch.tensor(self._answers.scale(values)[:, 0], dtype=torch.float32)
        formulas = self._formulas(rows)
        first = self.resources.seed * self.settings.networks
        with one_thread():
            self._networks = [
                train_network(formulas, answers, len(self._classes), self.settings, first + number)
                for number in range(self.settings.networks)
            ]
        self._outputs(rows)

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row."""
        outputs = self._outputs(frame)
        if self._answers is None:
            return np.array(self._classes, dtype=object)[outputs.argmax(axis=1)]
        return self._answers.restore(outputs)[:, 0]

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the mean probability of each class over the networks, shape ``(len(frame), classes)``."""
        return self._outputs(frame)

    def write_model(self, folder: Path) -> None:
        """Write the weights of each network, and the scale of the answers."""
        model = {"classes": self._classes, "answers": asdict(self._answers) if self._answers else None}
        (folder / MODEL_FILE).write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
        for number, network in enumerate(self._networks):
            save_file(network.state_dict(), folder / _weights_file(number))

    def read_model(self, folder: Path) -> None:
        """Read the weights of each network, and the scale of the answers."""
        model = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        self._classes = tuple(model["classes"])
        self._answers = Scaling(**model["answers"]) if model["answers"] else None
        self._networks = []
        for number in range(self.settings.networks):
            network = AttentionNetwork(self.settings, len(self._classes) or 1)
            network.load_state_dict(load_file(folder / _weights_file(number)))
            self._networks.append(network.eval())

    def _formulas(self, frame: pd.DataFrame) -> Formulas:
        return read_formulas(frame[self.facets[0].name].tolist(), self.name)

    def _outputs(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the mean of the scaled numbers, or of the probabilities, over the networks."""
        formulas = self._formulas(frame)
        with one_thread(), torch.inference_mode():
            of_networks = [_outputs_of(network, formulas) for network in self._networks]
        outputs = torch.stack(of_networks).double()
        mean = (outputs.softmax(dim=-1) if self._classes else outputs).mean(dim=0).numpy()
        check_converged(mean)
        return mean


def _outputs_of(network: AttentionNetwork, formulas: Formulas) -> torch.Tensor:
    starts = range(0, len(formulas), ROWS_AT_ONCE)
    return torch.cat([network(formulas[start : start + ROWS_AT_ONCE]) for start in starts])


def _weights_file(number: int) -> str:
    return f"weights-{number}.safetensors"
