"""The engine: MCVN on vector facets, the composition image, or both."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from polyfacet.facets.compimage.grey_levels import WHITE
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE
from polyfacet.materials.objectives import Objective
from polyfacet.networks.threads import one_thread
from polyfacet.training.engines.base import EngineError, ProbabilisticEngine, ValidationUse, check_converged
from polyfacet.training.engines.mcvn.network import MCVN
from polyfacet.training.engines.mcvn.training import Examples, Outcome
from polyfacet.training.engines.mcvn.training import train as train_network
from polyfacet.training.engines.numeric_facets import check_facets, pixels, vectors
from polyfacet.training.engines.scaling import Scaling

WEIGHTS_FILE, MODEL_FILE = "weights.safetensors", "mcvn.json"
MIN_ROWS = 2


class MCVNEngine(ProbabilisticEngine):
    """A network for one combination of facets and one objective.

    It always runs on one processor thread: it is too small to gain from more, and so the weights do not
    depend on the thread count.
    """

    # They select the epoch.
    validation_use = ValidationUse.CHOICE
    _network: MCVN
    _outcome: Outcome
    _classes: tuple[str, ...]
    # Of the original features, and of numeric answers.
    _inputs: Scaling | None
    _answers: Scaling | None

    @property
    def _vectors(self) -> list[Facet]:
        """Facets that are concatenated for the branch of the original features."""
        return [facet for facet in self.facets if facet != COMPIMAGE]

    def learn(self, train: pd.DataFrame, valid: pd.DataFrame, objective: Objective) -> None:
        """Train on ``train``; keep the weights with the lowest loss on ``valid``.

        Raises
        ------
        UserError
            If a facet is not numeric.
        EngineError
            If there are too few rows, a number is infinite, or training diverges.
        """
        check_facets("mcvn", self.facets, train)
        if len(train) < MIN_ROWS or valid.empty:
            raise EngineError(f"{len(train)} rows to train on and {len(valid)} to validate on are too few")
        self._classes = objective.classes
        self._inputs = self._scaling(vectors(train, self._vectors), limited=True) if self._vectors else None
        self._answers = None if objective.classes else self._scaling(_numbers(train, objective))
        training, validation = (self._examples(frame, objective) for frame in (train, valid))
        network = self._new_network()
        with one_thread():
            self._outcome = train_network(
                network, training, validation, self.settings, self.resources.seed, self.resources.states
            )
        self._network = network

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the objective of each row.

        Raises
        ------
        EngineError
            If a number is infinite.
        UserError
            If a picture is missing or cannot be decoded.
        """
        outputs = self._outputs(frame)
        if self._answers is None:
            return np.array(self._classes, dtype=object)[outputs.argmax(axis=1)]
        return self._answers.restore(outputs)[:, 0]

    def predict_probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, shape ``(len(frame), classes)``."""
        return torch.from_numpy(self._outputs(frame)).softmax(dim=1).numpy()

    def write_model(self, folder: Path) -> None:
        """Write weights, scalings and the outcome of training."""
        model = {
            "classes": self._classes,
            "inputs": asdict(self._inputs) if self._inputs else None,
            "answers": asdict(self._answers) if self._answers else None,
            "training": asdict(self._outcome),
        }
        save_file(self._network.state_dict(), folder / WEIGHTS_FILE)
        (folder / MODEL_FILE).write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")

    def read_model(self, folder: Path) -> None:
        """Read weights, scalings and the outcome of training."""
        model = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        self._classes = tuple(model["classes"])
        self._inputs, self._answers = (
            Scaling(**model[name]) if model[name] else None for name in ("inputs", "answers")
        )
        self._outcome = Outcome(**model["training"])
        self._network = self._new_network()
        self._network.load_state_dict(load_file(folder / WEIGHTS_FILE))
        self._network.eval()

    def _new_network(self) -> MCVN:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.resources.seed)
            return MCVN(
                n_original=len(self._inputs.mean) if self._inputs else 0,
                with_image=COMPIMAGE in self.facets,
                n_outputs=len(self._classes) or 1,
                variant=self.settings.variant,
                attention=self.settings.attention,
            )

    def _parts(self, frame: pd.DataFrame) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return the inputs of the two branches; None for a missing branch."""
        original = (
            torch.from_numpy(self._inputs.scale(vectors(frame, self._vectors))) if self._inputs else None
        )
        images = torch.from_numpy(pixels(frame, COMPIMAGE)) if COMPIMAGE in self.facets else None
        if images is not None and self.settings.grey_values == "byte":
            images = images * WHITE
        return original, images

    def _scaling(self, values: np.ndarray, *, limited: bool = False) -> Scaling:
        if self.settings.scaling == "none":
            return Scaling.identity(values.shape[1])
        return Scaling.fit(values, limited=limited)

    def _examples(self, frame: pd.DataFrame, objective: Objective) -> Examples:
        if self._answers is None:
            answers = frame[objective.column].map(self._classes.index).to_numpy(np.int64)
        else:
            answers = self._answers.scale(_numbers(frame, objective))[:, 0]
        return Examples(*self._parts(frame), torch.from_numpy(answers))

    def _outputs(self, frame: pd.DataFrame) -> np.ndarray:
        with one_thread(), torch.inference_mode():
            outputs = self._network(*self._parts(frame)).numpy()
        check_converged(outputs)
        return outputs


def _numbers(frame: pd.DataFrame, objective: Objective) -> np.ndarray:
    """Return the values to learn as one column, shape ``(rows, 1)``."""
    return frame[[objective.column]].to_numpy(np.float64)
