"""The foundation of the joint engine: the trained network, and how rows become its inputs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facet_named
from polyfacet.materials.objectives import Objective
from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.held_out import NothingToLearnError, hold_out
from polyfacet.networks.properties import left_out
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.progress import tell
from polyfacet.training.engines.base import EngineError, Resources, check_converged
from polyfacet.training.engines.joint.examples import Examples
from polyfacet.training.engines.joint.fusion.film import MOST_FACETS
from polyfacet.training.engines.joint.inputs import FacetReader, has_facet, read_rows
from polyfacet.training.engines.joint.losses import shares_of_classes
from polyfacet.training.engines.joint.model import JointNetwork, Outputs
from polyfacet.training.engines.joint.objectives import LearnedObjectives, values_of
from polyfacet.training.engines.joint.presence import all_subsets, compared_subsets
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.tokens import Tokens
from polyfacet.training.engines.joint.training import HeldOut, Training, judged_subset
from polyfacet.training.engines.numeric_facets import Array

WEIGHTS_FILE, RECORD_FILE = "weights.safetensors", "network.json"
# The same as for the network of the graph embedding: on splits by formula, whose groups are those of that
# network, the rows that choose the epoch of one were not trained on by the other.
PURPOSE = "validation of the network"
# Fewest rows to train on and hold out.
FEWEST = 10
ROWS_AT_ONCE = 1024


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
        network = _new_network(settings, readers, objectives)
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
        return cls(readers, objectives, network.eval(), record["training"])

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
            return _joined(
                [
                    _zero_unless(tokens.present.any(dim=1), self.network.predict(tokens))
                    for tokens in self._tokens(rows, facets)
                ]
            )

    def facet_weights(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Array | None:
        """Return the share of each facet of the network in what it says of rows.

        Parameters
        ----------
        rows
            Rows with at least one of the facets.
        facets
            Facets that the network sees.

        Returns
        -------
        numpy.ndarray or None
            Shape ``(rows, facets of the network)``: gates, shares of experts, or attention rollout, 0 for
            missing facets; None if the fusion has none of these.
        """
        with one_thread(), torch.inference_mode():
            found = [self.network.fusion.weights(tokens) for tokens in self._tokens(rows, facets)]
        known = [weights for weights in found if weights is not None]
        return torch.cat(known).double().numpy() if known else None

    def outputs_of_subsets(
        self, rows: pd.DataFrame, facets: Sequence[Facet]
    ) -> dict[tuple[str, ...], Outputs]:
        """Return what the network says of rows from each non-empty subset of some facets.

        Each facet is read once.

        Parameters
        ----------
        rows
            Rows with all of the facets.
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
                [self.network.predict(tokens.of_subset(kept)) for kept in subsets]
                for tokens in self._tokens(rows, facets)
            ]
        names = [tuple(self.readers[n].name for n in kept.nonzero()[:, 0].tolist()) for kept in subsets]
        return {name: _joined(outputs) for name, *outputs in zip(names, *said, strict=True)}

    def _tokens(self, rows: pd.DataFrame, facets: Sequence[Facet]) -> Iterator[Tokens]:
        """Yield the tokens of rows, some at a time."""
        for start in range(0, len(rows), ROWS_AT_ONCE):
            shown = read_rows(rows[start : start + ROWS_AT_ONCE], self.readers, facets)
            yield self.network.tokens(shown)


def train_foundation(
    settings: JointSettings,
    rows: pd.DataFrame,
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
        Seed, and the folder for states.

    Raises
    ------
    EngineError
        If these rows cannot be learned from, or training diverges.
    """
    rows = rows.sort_values("mat_id", ignore_index=True)
    if settings.film != "none" and len(facets) > MOST_FACETS:
        raise EngineError(f"FiLM needs at most {MOST_FACETS} facets; set `film: none`")
    try:
        trained_on, chosen_by = _held_out(rows, settings.held_out, resources.seed)
        learned_from = [facet for facet in facets if has_facet(trained_on, facet).any()]
        learned = LearnedObjectives.fit(objectives, trained_on)
        omitted = _left_out(learned, objectives, trained_on)
    except NothingToLearnError as error:
        raise EngineError(f"the joint network has nothing to learn: {error}") from error
    fitted = [FacetReader.fit(facet, trained_on, settings) for facet in learned_from]
    readers = tuple(reader for reader in fitted if reader.is_telling)
    if not readers:
        raise EngineError("the joint network has nothing to learn from: no number of a facet varies")
    trained_on, chosen_by = (_readable(part, readers) for part in (trained_on, chosen_by))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(resources.seed)
        network = _new_network(settings, readers, learned)
    examples, held_out = (_examples(part, readers, learned_from, learned) for part in (trained_on, chosen_by))
    training = Training(settings, learned.n_learnable, resources.seed, resources.states)
    subsets = compared_subsets(len(readers), settings.subsets)
    judges = _judges(held_out, chosen_by, examples, trained_on, learned, subsets)
    with one_thread():
        ended = training.run(network, examples, judges)
    if not ended[0].epoch:
        raise EngineError("training diverged: no epoch has finite predictions. Lower learning_rate.")
    tell(f"joint network: epoch {ended[0].epoch} of {ended[0].n_epochs}, error {ended[0].error:.3f}")
    record = {
        "n_train": len(trained_on),
        "n_held_out": len(chosen_by),
        "n_weights": sum(weight.numel() for weight in network.parameters()),
        "left_out": omitted,
        "parts": [asdict(each) for each in ended],
    }
    return Foundation(readers, learned, network.eval(), record)


def _new_network(
    settings: JointSettings, readers: Sequence[FacetReader], learned: LearnedObjectives
) -> JointNetwork:
    facets = {reader.name: (reader.form, len(reader.kept)) for reader in readers}
    return JointNetwork(settings, facets, len(learned.numbers), learned.n_classes)


def _held_out(rows: pd.DataFrame, fraction: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    groups = dict(zip(rows["mat_id"], rows["group"], strict=True))
    parts = hold_out(groups, fraction, seed, purpose=PURPOSE, what="a facet", fewest=FEWEST)
    trained_on, chosen_by = (rows[rows["mat_id"].isin(part)].reset_index(drop=True) for part in parts)
    return trained_on, chosen_by


def _readable(rows: pd.DataFrame, readers: Sequence[FacetReader]) -> pd.DataFrame:
    """Return the rows that have a facet that is read."""
    has = np.stack([has_facet(rows, facet_named(reader.name)) for reader in readers])
    return rows.iloc[np.flatnonzero(has.any(axis=0))].reset_index(drop=True)


def _left_out(
    learned: LearnedObjectives, objectives: Sequence[Objective], rows: pd.DataFrame
) -> dict[str, str]:
    """Return the objectives that cannot be learned, and why.

    Raises
    ------
    NothingToLearnError
        If none can.
    """
    of_classes = [each.column for each in objectives if each.classes and each.column not in learned.classes]
    omitted = dict.fromkeys(of_classes, "the rows trained on have fewer than two classes")
    if not learned.classes and not learned.numbers:
        raise NothingToLearnError("; ".join(f"{name}: {why}" for name, why in omitted.items()))
    if not learned.numbers:
        return omitted
    try:
        return omitted | left_out(values_of(rows, learned.numbers), learned.scale, learned.numbers)
    except NothingToLearnError:
        if learned.classes:
            return omitted | dict.fromkeys(learned.numbers, "no known value differs from the median")
        raise


def _examples(
    rows: pd.DataFrame,
    readers: Sequence[FacetReader],
    facets: Sequence[Facet],
    learned: LearnedObjectives,
) -> Examples:
    return Examples(
        read_rows(rows, readers, facets),
        learned.scale.normalise(values_of(rows, learned.numbers)),
        learned.indices_of_classes(rows),
    )


def _judges(
    held_out: Examples,
    chosen_by: pd.DataFrame,
    examples: Examples,
    trained_on: pd.DataFrame,
    learned: LearnedObjectives,
    compared: torch.Tensor,
) -> HeldOut:
    """Let the held-out rows choose the epoch, or those trained on if all epochs look the same to them."""
    shares = [shares_of_classes(examples.classes[:, c], n) for c, n in enumerate(learned.n_classes)]
    for rows, frame in ((held_out, chosen_by), (examples, trained_on)):
        values = values_of(frame, learned.numbers)
        subsets = []
        for kept in compared:
            has_any = (rows.shown.present & kept).any(dim=1).numpy()
            if has_any.any():
                choice = EpochChoice.among(values[has_any], learned.scale)
                known = choice if choice.decides.any() else None
                subsets.append(judged_subset(rows, kept, known, shares))
        telling = [each for each in subsets if each.judge.can_tell]
        if telling:
            return HeldOut(rows, telling)
    raise EngineError("no known value of an objective differs from the median")


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
