"""The foundation of the joint engine: the trained network, and how rows become its inputs."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.networks import loop
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.progress import tell
from polyfacet.training.engines.base import EngineError, Resources, check_converged
from polyfacet.training.engines.joint.fusion.film import MOST_FACETS
from polyfacet.training.engines.joint.inputs import FacetReader, read_rows
from polyfacet.training.engines.joint.model import JointNetwork, new_network
from polyfacet.training.engines.joint.objectives import LearnedObjectives
from polyfacet.training.engines.joint.outputs import Outputs
from polyfacet.training.engines.joint.preparation import prepare
from polyfacet.training.engines.joint.presence import all_subsets
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.stored_examples import rows_at_once
from polyfacet.training.engines.joint.tokens import Tokens
from polyfacet.training.engines.joint.training import Training
from polyfacet.training.engines.joint.training_processes import train_in_processes
from polyfacet.training.engines.numeric_facets import Array
from polyfacet.training.engines.training_rows import RowsInMemory, TrainingRows

WEIGHTS_FILE, RECORD_FILE = "weights.safetensors", "network.json"


@dataclass(frozen=True, eq=False)
class Foundation:
    """A trained network with its inputs and outputs.

    Attributes
    ----------
    readers
        Of each facet, in the order of the network.
    objectives
        What it predicts.
    network
        The network, in evaluation mode.
    record
        How the training went.
    """

    readers: tuple[FacetReader, ...]
    objectives: LearnedObjectives
    network: JointNetwork
    record: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path, settings: JointSettings) -> Self:
        """Read what `save` has written."""
        record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        readers = tuple(map(FacetReader.from_record, record["facets"]))
        objectives = LearnedObjectives.from_record(record["objectives"])
        network = new_network(settings, readers, objectives)
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
        return cls(readers, objectives, network.eval(), record["training"])

    def untrained(self, settings: JointSettings, seed: int) -> "Foundation":
        """Return the network as it was before it was trained: a control."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = new_network(settings, self.readers, self.objectives)
        return replace(self, network=network.eval())

    def save(self, folder: Path) -> None:
        """Write the network and all that it needs into a folder."""
        record = {
            "facets": [reader.record() for reader in self.readers],
            "objectives": self.objectives.record(),
            "training": self.record,
        }
        (folder / RECORD_FILE).write_text(json.dumps(record) + "\n", encoding="utf-8")
        save_file(self.network.state_dict(), folder / WEIGHTS_FILE)

    def outputs(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Outputs:
        """Return what the network says of rows, seen through some facets.

        Of rows that have none of the facets that it reads, as these tell nothing in training, it says 0: the
        medians of numbers, and equal probabilities of classes.
        """
        with one_thread(), torch.inference_mode():
            return _joined([self._said(tokens) for tokens in self._tokens(rows, facets)])

    def representations(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Array:
        """Return what rows are compared by, seen through some facets.

        Parameters
        ----------
        rows
            Rows; those that have none of the facets get NaN.
        facets
            Facets that the network sees.

        Returns
        -------
        numpy.ndarray
            Of length 1, shape ``(rows, pretraining.projection)``.

        Raises
        ------
        RuntimeError
            If the network was not pretrained.
        """
        return self._represented(rows, facets, self.network.projected)

    def fused(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Array:
        """Return what the fusion makes of rows, before layers that only objectives train.

        Parameters
        ----------
        rows
            Rows; those that have none of the facets get NaN.
        facets
            Facets that the network sees.

        Returns
        -------
        numpy.ndarray
            Shape ``(rows, width)``.
        """
        return self._represented(rows, facets, lambda tokens: self.network.fusion(tokens).values)

    def _represented(
        self, rows: pd.DataFrame, facets: Sequence[Facet], represent: Callable[[Tokens], torch.Tensor]
    ) -> Array:
        with one_thread(), torch.inference_mode():
            found = [
                represent(tokens).masked_fill(~tokens.present.any(dim=1)[:, None], torch.nan)
                for tokens in self._tokens(rows, facets)
            ]
        return torch.cat(found).double().numpy()

    def facet_weights(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Array | None:
        """Return the share of each facet of the network in what it says of rows.

        Parameters
        ----------
        rows
            At least one row.
        facets
            Facets that the network sees.

        Returns
        -------
        numpy.ndarray or None
            Shape ``(rows, facets of the network)``: gates, shares of experts, or attention rollout, 0 for
            missing facets; None if the fusion has none of these.  NaN for rows that have no facet.
        """
        with one_thread(), torch.inference_mode():
            found = [self.network.fusion.weights(tokens) for tokens in self._tokens(rows, facets)]
        known = [weights for weights in found if weights is not None]
        if not known:
            return None
        weights = torch.cat(known).double()
        return weights.masked_fill(weights.sum(dim=1, keepdim=True) == 0, torch.nan).numpy()

    def outputs_of_subsets(
        self, rows: pd.DataFrame, facets: Sequence[Facet]
    ) -> dict[tuple[str, ...], Outputs]:
        """Return what the network says of rows from each non-empty subset of some facets.

        Each facet is read once.

        Parameters
        ----------
        rows
            Rows; of those that have no facet of a subset, the network says 0.
        facets
            Facets whose subsets are asked for.

        Returns
        -------
        dict
            Names of the facets, in the order of the network, to the outputs.
        """
        asked = [n for n, reader in enumerate(self.readers) if reader.name in {each.name for each in facets}]
        subsets = torch.zeros(2 ** len(asked) - 1, len(self.readers), dtype=torch.bool)
        subsets[:, asked] = all_subsets(len(asked))
        with one_thread(), torch.inference_mode():
            said = [
                [self._said(tokens.of_subset(kept)) for kept in subsets]
                for tokens in self._tokens(rows, facets)
            ]
        names = [tuple(self.readers[n].name for n in kept.nonzero()[:, 0].tolist()) for kept in subsets]
        return {name: _joined(outputs) for name, *outputs in zip(names, *said, strict=True)}

    def _said(self, tokens: Tokens) -> Outputs:
        """Predict from tokens; 0 for rows that show nothing."""
        return _zero_unless(tokens.present.any(dim=1), self.network.predict(tokens))

    def _tokens(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Iterator[Tokens]:
        """Yield the tokens of rows, some at a time."""
        size = rows_at_once(self.readers)
        for start in range(0, max(1, len(rows)), size):
            shown = read_rows(rows[start : start + size], self.readers, facets)
            yield self.network.tokens(shown)


def train_foundation(
    settings: JointSettings,
    rows: pd.DataFrame | TrainingRows,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
    resources: Resources,
) -> Foundation:
    """Train a network on rows of the training part.

    Parameters
    ----------
    settings
        Of the engine.
    rows
        ``mat_id``, ``group``, the columns of the facets and of the objectives; each row has a facet.
    facets
        All facets of the method.
    objectives
        All objectives of the method.
    resources
        Seed, and the folders for states and for the file of examples.

    Raises
    ------
    EngineError
        If these rows cannot be learned from, or training diverges.
    """
    if settings.film != "none" and len(facets) > MOST_FACETS:
        raise EngineError(f"FiLM needs at most {MOST_FACETS} facets; set `film: none`")
    given = RowsInMemory(rows) if isinstance(rows, pd.DataFrame) else rows
    with TemporaryDirectory(dir=resources.scratch) as scratch:
        folder = Path(scratch)
        prepared = prepare(settings, given, facets, objectives, resources.seed, folder / "examples")
        readers, learned = prepared.trained_on.readers, prepared.trained_on.objectives
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(resources.seed)
            network = new_network(settings, readers, learned)
        training = Training(
            settings, prepared.trained_on, prepared.chosen_by, resources.seed, resources.states
        )
        with one_thread():
            ended = _run(training, network, folder / "processes")
        n_rows = {"n_train": len(training.trained_on), "n_held_out": len(training.chosen_by)}
        if settings.is_pretrained:
            n_rows["n_pretrained_on"] = len(training.trained_on.with_unlabelled())
    for part, each in zip(training.parts, ended, strict=False):
        if not each.epoch:
            raise EngineError(f"training of {part} diverged: no epoch is finite. Lower its learning_rate.")
        tell(f"joint network, {part}: epoch {each.epoch} of {each.n_epochs}, error {each.error:.3f}")
    record = {
        **n_rows,
        "n_weights": sum(weight.numel() for weight in network.parameters()),
        "left_out": prepared.left_out,
        "parts": {name: asdict(each) for name, each in zip(training.parts, ended, strict=True)},
    }
    return Foundation(readers, learned, network.eval(), record)


def _run(training: Training, network: JointNetwork, folder: Path) -> list[loop.Ended]:
    """Train in this process, or in several."""
    settings = training.settings
    if settings.processes == 1:
        return training.run(network)
    fewest = min(len(training.trained_on), len(training.judges().examples))
    if fewest < settings.n_parts:
        raise EngineError(
            f"{fewest} rows are too few for {settings.n_parts} parts of a step (processes x accumulation)"
        )
    return train_in_processes(training, network, folder)


def _zero_unless(is_told: torch.Tensor, said: Outputs) -> Outputs:
    """Replace what is said of other rows by zeros."""
    if is_told.all():
        return said
    numbers, representation, *logits = (
        each.where(is_told[:, None], each.new_zeros(()))
        for each in (said.numbers, said.representation, *said.classes)
    )
    return Outputs(numbers, logits, representation, said.penalty)


def _joined(said: Sequence[Outputs]) -> Outputs:
    """Join the outputs for rows that were predicted one after the other."""
    return Outputs(
        torch.cat([each.numbers for each in said]),
        [torch.cat(logits) for logits in zip(*(each.classes for each in said), strict=True)],
        torch.cat([each.representation for each in said]),
        None,
    )


def probabilities_of(logits: torch.Tensor) -> Array:
    """Return the probability of each class, shape ``(rows, classes)``."""
    found = logits.double().softmax(dim=1).numpy()
    check_converged(found)
    return np.asarray(found)
