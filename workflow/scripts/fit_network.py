"""Make the network that embeds graphs; what it is fitted on is the training part of a split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.errors import UserError
from polyfacet.materials import SAMPLE, reduced_formula
from polyfacet.splitting import SPLIT, TEST, TRAIN
from polyfacet.structure_facet.crystal_graph import CrystalGraph, read_graphs
from polyfacet.structure_facet.devices import Device, choose_device
from polyfacet.structure_facet.embedding import EmbeddingKind, calibrate, make_network, save_network
from polyfacet.structure_facet.network import NetworkConfig
from polyfacet.structure_facet.training import TrainingConfig, train_on_properties
from polyfacet.tables import read_table
from polyfacet.targets import Target

# All of them, whatever a run predicts: to ask for one more must not change the embedding.
TARGETS = [target.value for target in Target]


def main(
    graphs: list[Path],
    split: Path,
    network: Path,
    *,
    kind: EmbeddingKind,
    seed: int,
    device: Device,
    width: int,
    layers: int,
    sample: Path | None = None,
    training: Mapping[str, Any] | None = None,
    pretraining: Path | None = None,
    pretraining_graphs: list[Path] | None = None,
) -> None:
    """Make, and fit if its kind asks for it, the network.

    Parameters
    ----------
    graphs
        Tables of graphs, one per shard; their number and order do not matter.
    split
        Table of mat_id and part.
    network
        Output: weights and statistics.  Trainings keep their state beside it until all is done.
    kind, seed
        See `polyfacet.structure_facet.embedding.make_network`.
    device
        ``auto`` takes a GPU where there is one.
    width, layers
        See `polyfacet.structure_facet.network.NetworkConfig`.
    sample
        Table of the sampled materials, for ``trained``.
    training
        Fields of `polyfacet.structure_facet.training.TrainingConfig`.
    pretraining, pretraining_graphs
        Table of materials outside the sample that are trained on first, and their graphs.

    Raises
    ------
    UserError
        If a formula of the test part is among those to pretrain on.
    """
    parts = read_table(split, SPLIT).set_index("mat_id")["part"]
    fitted_on = [graph for graph in read_graphs(graphs) if parts.get(graph.mat_id) == TRAIN]
    sizes = NetworkConfig(width=width, layers=layers)
    potnet = make_network(kind, seed, fitted_on, choose_device(device), sizes)
    record: dict[str, Any] = {"kind": kind, "seed": seed}
    states: list[Path] = []

    def train_on(materials: pd.DataFrame, known: Sequence[CrystalGraph], name: str) -> None:
        states.append(network.with_name(f"{network.name}.{name}"))
        errors = train_on_properties(
            potnet,
            known,
            materials[["formula", *TARGETS]],
            TrainingConfig(**training or {}),
            seed=seed,
            state=states[-1],
        )
        record[name] = {"settings": dict(training or {}), "n": len(known), "validation_errors": errors}

    if kind == "trained":
        if sample is None:
            raise ValueError("a trained network needs the sample's targets")
        sampled = _read_materials(sample)
        if pretraining is not None:
            others = _read_materials(pretraining)
            _check_overlap(others, sampled.loc[parts.index[parts == TEST]])
            train_on(others, read_graphs(pretraining_graphs or []), "pretraining")
        train_on(sampled, fitted_on, "training")
        calibrate(potnet, fitted_on)
    save_network(potnet, network, record)
    for state in states:
        state.unlink()


def _read_materials(path: Path) -> pd.DataFrame:
    return read_table(path, SAMPLE, columns=["mat_id", "formula", *TARGETS]).set_index("mat_id")


def _check_overlap(pretraining: pd.DataFrame, test: pd.DataFrame) -> None:
    """Refuse to train on what is tested on, or on another structure of it."""
    tested = set(map(reduced_formula, test["formula"]))
    overlap = [
        f"{mat_id} ({formula})"
        for mat_id, formula in pretraining["formula"].items()
        if reduced_formula(formula) in tested
    ]
    if overlap:
        raise UserError(
            f"{len(overlap)} materials to pretrain on have a formula of the test part: "
            f"{', '.join(overlap[:5])}. They are of another sample: "
            "delete the folder `pretraining` and run again."
        )


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
