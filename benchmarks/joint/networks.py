"""Networks of a repeat, each trained once on a machine, and what they say."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from benchmarks.joint.materials import Materials
from numpy.typing import NDArray

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name, encoding_column, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.progress import tell
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.joint.foundation import Foundation, train_foundation
from polyfacet.training.engines.joint.outputs import Outputs
from polyfacet.training.engines.joint.settings import JointSettings

COST_FILE = "cost.json"

Array = NDArray[np.float64]
# Names of facets, joined by +, to predictions in the units of the objectives, shape ``(rows, objectives)``.
Predictions = dict[str, Array]
Content = Callable[[Any], bytes]


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network.

    Attributes
    ----------
    foundation
        The network.
    facets
        Facets that it was trained on.
    core_seconds
        Processor time of its training, on one thread.
    """

    foundation: Foundation
    facets: tuple[Facet, ...]
    core_seconds: float

    @property
    def n_weights(self) -> int:
        """Number of weights."""
        return int(self.foundation.record["n_weights"])

    @property
    def n_epochs(self) -> int:
        """Number of epochs of all parts of its training."""
        return sum(part["n_epochs"] for part in self.foundation.record["parts"].values())

    @property
    def n_train(self) -> int:
        """Number of rows that it was trained on, without those that chose the epoch."""
        return int(self.foundation.record["n_train"])

    def numbers(self, outputs: Outputs) -> Array:
        """Return outputs in the units of the objectives."""
        return self.foundation.objectives.scale.restore(outputs.numbers.double().numpy())

    def predict(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Array:
        """Predict from some facets."""
        return self.numbers(self.foundation.outputs(rows, facets))

    def predict_subsets(self, rows: pd.DataFrame) -> Predictions:
        """Predict from each subset of the facets."""
        outputs = self.foundation.outputs_of_subsets(rows, self.facets)
        return {"+".join(names): self.numbers(each) for names, each in outputs.items()}


class Networks:
    """Trains networks, and keeps them in a folder.

    Parameters
    ----------
    settings
        Settings of the engine, which those of a network change.
    folder
        Folder of trained networks; they are found by everything that determines them but the code and its
        libraries.
    """

    def __init__(self, settings: Mapping[str, Any], folder: Path) -> None:
        self._changed, self._folder = settings, folder
        # The first optimizer of a process imports packages for seconds, which are no time of a training.
        torch.optim.AdamW([torch.zeros(1, requires_grad=True)])

    def settings(self, **changed: Any) -> JointSettings:
        """Return the settings of a network, some of which differ."""
        return JointSettings(**{**self._changed, **changed})

    def train(
        self,
        materials: Materials,
        facets: Sequence[Facet] | None = None,
        *,
        missing: bool = False,
        **changed: Any,
    ) -> Network | None:
        """Train a network, or load it.

        Parameters
        ----------
        materials
            Materials, of which the training rows are learned from.
        facets
            Facets of the network; all by default.
        missing
            Whether rows may lack some of them.
        changed
            Settings that differ.

        Returns
        -------
        Network or None
            None if these rows cannot be learned from.
        """
        facets = tuple(facets or materials.facets)
        settings = self.settings(**changed)
        rows = materials.trained_on(facets, missing=missing)
        folder = self._folder / _digest(settings, facets, materials.objectives, rows, materials.seed)
        if folder.exists():
            core_seconds = json.loads((folder / COST_FILE).read_text(encoding="utf-8"))
            return Network(Foundation.load(folder, settings), facets, core_seconds)
        start = time.process_time()
        try:
            foundation = train_foundation(
                settings, rows, facets, materials.objectives, Resources(materials.seed)
            )
        except EngineError as error:
            tell(f"no network of {combination_name(facets)} from {len(rows)} rows: {error}")
            return None
        core_seconds = time.process_time() - start
        with atomic_path(folder) as part:
            part.mkdir(parents=True)
            foundation.save(part)
            (part / COST_FILE).write_text(json.dumps(core_seconds), encoding="utf-8")
        return Network(foundation, facets, core_seconds)


def _digest(
    settings: JointSettings,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
    rows: pd.DataFrame,
    seed: int,
) -> str:
    """Identify a training by its settings, its objectives, its rows, and what they show of the facets."""
    learned = [[each.column, *each.classes] for each in objectives]
    identity = [settings.model_dump(mode="json"), [facet.name for facet in facets], learned, seed]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode())
    columns = dict.fromkeys(("mat_id", "group", *(each.column for each in objectives)), _bytes)
    for facet in facets:
        columns |= _as_read(facet, rows, settings)
    for name, content in columns.items():
        digest.update(f"{name}:".encode())
        for value in rows[name]:
            own = None if value is None else content(value)
            digest.update(b"none;" if own is None else f"{len(own)};".encode() + own)
    return digest.hexdigest()[:16]


def _as_read(facet: Facet, rows: pd.DataFrame, settings: JointSettings) -> dict[str, Content]:
    """Return the columns that show a facet, and what a network reads of their values.

    Where a picture lies tells nothing: those of imputed facets are in another folder in each run.  Of a
    structure picture that is read by its encoding, only the encoding counts.
    """
    content: Content = _bytes
    if facet.kind == "image":
        reads_pixels = facet.pixels_are_numbers or settings.pictures == "network"
        content = _bytes_of_file if reads_pixels else lambda path: b""
    columns = dict.fromkeys(shown_columns(facet, rows.columns), content)
    encoding = encoding_column(facet)
    return columns | ({encoding: _bytes} if encoding in rows else {})


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else np.asarray(value, dtype=np.float64).tobytes()


def _bytes_of_file(path: str) -> bytes:
    return Path(path).read_bytes()
