"""The engine: MCVN on facets that are vectors, the composition image, or both."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from polyfacet.facets.compimage.grey_levels import WHITE
from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.files import atomic_path
from polyfacet.training.engines.base import EngineError, Resources, ValidationUse
from polyfacet.training.engines.mcvn.network import MCVN
from polyfacet.training.engines.mcvn.scaling import Scaling
from polyfacet.training.engines.mcvn.settings import MCVNSettings
from polyfacet.training.engines.mcvn.training import Examples
from polyfacet.training.engines.mcvn.training import train as train_network
from polyfacet.training.engines.numeric_facets import check_facets, pixels, vectors

WEIGHTS_FILE, MODEL_FILE = "weights.safetensors", "mcvn.json"
MIN_ROWS = 2


class MCVNEngine:
    """A network for one combination of facets and one objective.

    It runs on one processor thread, whatever it is given: it is too small for more, and the weights do not
    depend on their number.
    """

    def __init__(self, settings: MCVNSettings, resources: Resources) -> None:
        self._settings = settings
        self._seed = resources.seed
        self._states = resources.states
        self._network: MCVN | None = None
        self._facets: tuple[Facet, ...] = ()
        self._classes: tuple[str, ...] = ()
        # Of the original features, and of the answers where they are numbers.
        self._inputs: Scaling | None = None
        self._answers: Scaling | None = None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a trained network."""
        model = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        engine = cls(MCVNSettings(**model["settings"]), Resources(seed=model["seed"]))
        engine._facets = tuple(map(Facet, model["facets"]))
        engine._classes = tuple(model["classes"])
        engine._inputs, engine._answers = (
            Scaling(**model[name]) if model[name] else None for name in ("inputs", "answers")
        )
        engine._network = engine._new_network()
        engine._network.load_state_dict(load_file(folder / WEIGHTS_FILE))
        engine._network.eval()
        return engine

    @property
    def _vectors(self) -> list[Facet]:
        """What the branch of the original features looks at, side by side."""
        return [facet for facet in self._facets if facet.facts.kind == "vector"]

    @property
    def validation_use(self) -> ValidationUse:
        """They choose the epoch."""
        return ValidationUse.CHOICE

    def fit(
        self,
        train: pd.DataFrame,
        valid: pd.DataFrame,
        facets: Sequence[Facet],
        objective: Objective,
        folder: Path,
    ) -> None:
        """Train on ``train``; keep the weights of the lowest loss on ``valid``.

        Raises
        ------
        UserError
            If a facet is no number.
        EngineError
            If there are too few rows, a number is infinite, or training diverges.
        """
        check_facets("mcvn", facets)
        if len(train) < MIN_ROWS or valid.empty:
            raise EngineError(f"{len(train)} rows to train on and {len(valid)} to validate on are too few")
        self._facets, self._classes = tuple(facets), objective.classes
        self._inputs = self._scaling(vectors(train, self._vectors)) if self._vectors else None
        self._answers = None if objective.classes else self._scaling(_numbers(train, objective))
        training, validation = (self._examples(frame, objective) for frame in (train, valid))
        network = self._new_network()
        with one_thread():
            outcome = train_network(network, training, validation, self._settings, self._seed, self._states)
        self._network = network
        self._save(folder, network, asdict(outcome))

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
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
        """Give the probability of each class, shape ``(len(frame), classes)``."""
        return torch.from_numpy(self._outputs(frame)).softmax(dim=1).numpy()

    def describe(self) -> dict[str, Any]:
        """Give the settings."""
        return self._settings.model_dump()

    def encoder_digests(self) -> dict[str, str]:
        """Give nothing: the network starts from random weights."""
        return {}

    def _new_network(self) -> MCVN:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            return MCVN(
                n_original=len(self._inputs.mean) if self._inputs else 0,
                with_image=Facet.COMPIMAGE in self._facets,
                n_outputs=len(self._classes) or 1,
                variant=self._settings.variant,
                attention=self._settings.attention,
            )

    def _parts(self, frame: pd.DataFrame) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Give what the two branches look at; None for a branch that is not there."""
        original = (
            torch.from_numpy(self._inputs.scale(vectors(frame, self._vectors))) if self._inputs else None
        )
        images = torch.from_numpy(pixels(frame)) if Facet.COMPIMAGE in self._facets else None
        if images is not None and self._settings.grey_values == "byte":
            images = images * WHITE
        return original, images

    def _scaling(self, values: np.ndarray) -> Scaling:
        return (
            Scaling.fit(values) if self._settings.scaling == "standard" else Scaling.identity(values.shape[1])
        )

    def _examples(self, frame: pd.DataFrame, objective: Objective) -> Examples:
        if self._answers is None:
            answers = frame[objective.column].map(self._classes.index).to_numpy(np.int64)
        else:
            answers = self._answers.scale(_numbers(frame, objective))[:, 0]
        return Examples(*self._parts(frame), torch.from_numpy(answers))

    def _outputs(self, frame: pd.DataFrame) -> np.ndarray:
        if self._network is None:
            raise RuntimeError("fit() or load() comes before predict()")
        with one_thread(), torch.inference_mode():
            outputs = self._network(*self._parts(frame)).numpy()
        if not np.isfinite(outputs).all():
            raise EngineError(
                "training diverged: outputs of the network are not finite. Lower learning_rate."
            )
        return outputs

    def _save(self, folder: Path, network: MCVN, training: dict[str, Any]) -> None:
        model = {
            "settings": self.describe(),
            "seed": self._seed,
            "facets": [facet.value for facet in self._facets],
            "classes": self._classes,
            "inputs": asdict(self._inputs) if self._inputs else None,
            "answers": asdict(self._answers) if self._answers else None,
            "training": training,
        }
        with atomic_path(folder) as part:
            part.mkdir()
            save_file(network.state_dict(), part / WEIGHTS_FILE)
            (part / MODEL_FILE).write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")


def _numbers(frame: pd.DataFrame, objective: Objective) -> np.ndarray:
    """Give what is to be learned as one column, shape ``(rows, 1)``."""
    return frame[[objective.column]].to_numpy(np.float64)
