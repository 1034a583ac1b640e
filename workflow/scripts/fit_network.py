"""Make the network that embeds graphs; what it is fitted on is the training part of a split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polyfacet.materials import SAMPLE
from polyfacet.splitting import SPLIT, TRAIN
from polyfacet.structure_facet.crystal_graph import read_graphs
from polyfacet.structure_facet.devices import Device, choose_device
from polyfacet.structure_facet.embedding import EmbeddingKind, calibrate, make_network, save_network
from polyfacet.structure_facet.network import NetworkConfig
from polyfacet.structure_facet.training import TrainingConfig, train_on_properties
from polyfacet.tables import read_table


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
    targets: Sequence[str] = (),
    training: Mapping[str, Any] | None = None,
) -> None:
    """Make, and fit if its kind asks for it, the network.

    Parameters
    ----------
    graphs
        Tables of graphs, one per shard; their number and order do not matter.
    split
        Table of mat_id and part.
    network
        Output: weights and statistics.  A training keeps its state beside it until it is done.
    kind, seed
        See `polyfacet.structure_facet.embedding.make_network`.
    device
        ``auto`` takes a GPU where there is one.
    width, layers
        See `polyfacet.structure_facet.network.NetworkConfig`.
    sample
        Table of the sampled materials, for ``trained``.
    targets
        Properties to train on.
    training
        Fields of `polyfacet.structure_facet.training.TrainingConfig`.
    """
    parts = read_table(split, SPLIT)
    in_training = set(parts["mat_id"][parts["part"] == TRAIN])
    fitted_on = [graph for graph in read_graphs(graphs) if graph.mat_id in in_training]
    sizes = NetworkConfig(width=width, layers=layers)
    potnet = make_network(kind, seed, fitted_on, choose_device(device), sizes)
    record: dict[str, Any] = {"kind": kind, "seed": seed}
    if kind == "trained":
        if sample is None or training is None:
            raise ValueError("a trained network needs the sample's targets and the settings of the training")
        properties = read_table(sample, SAMPLE, columns=["mat_id", "formula", *targets]).set_index("mat_id")
        state = network.with_name(f"{network.name}.state")
        config = TrainingConfig(**training)
        errors = train_on_properties(potnet, fitted_on, properties, config, seed=seed, state=state)
        calibrate(potnet, fitted_on)
        record |= {"training": dict(training), "validation_errors": errors}
    save_network(potnet, network, record)
    if kind == "trained":
        state.unlink()


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
