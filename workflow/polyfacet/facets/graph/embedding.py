"""The PotNet embedding of materials: make and calibrate the network, apply it to graphs, save it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch_geometric.data import Data

from polyfacet.config.graphs import EmbeddingKind
from polyfacet.facets.graph.crystal_graph import CrystalGraph
from polyfacet.facets.graph.network import NetworkConfig, PotNet, network_input
from polyfacet.networks.tensor_files import read_tensors
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.progress import track

CONFIG_KEY = "config"


def make_network(
    kind: EmbeddingKind,
    seed: int,
    training: Sequence[CrystalGraph],
    device: torch.device,
    config: NetworkConfig | None = None,
) -> PotNet:
    """Make the network of an embedding kind, ready for evaluation.

    Parameters
    ----------
    kind
        ``random``: untrained weights, batch normalisation without effect.  ``calibrated``: untrained weights,
        batch statistics of the training materials.  ``trained``: as ``random``, to be trained.
    seed
        Seed of the weights.
    training
        Graphs of the training part, the only ones that may be used for fitting.
    device
        Device that the network is moved to.
    config
        Sizes; the defaults if None.

    Raises
    ------
    UserError
        If there is nothing to calibrate on.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PotNet(config or NetworkConfig())
    network.to(device).eval()
    if kind == "calibrated":
        if not training:
            raise UserError("a calibrated embedding needs training materials, but none of them has a graph")
        calibrate(network, training)
    return network


def calibrate(network: PotNet, training: Sequence[CrystalGraph]) -> None:
    """Calibrate on graphs in memory, in the order of their mat_id; see `calibrate_on`."""
    ordered = sorted(training, key=lambda graph: graph.mat_id)
    calibrate_on(network, lambda: map(network_input, ordered), len(ordered))


def calibrate_on(network: PotNet, inputs: Callable[[], Iterable[Data]], n_inputs: int) -> None:
    """Set the batch-normalisation statistics to exactly those of the training materials.

    The layers are calibrated one by one, each with all preceding layers in their final state.  Unlike running
    averages over batches, the result depends only on the set of materials: not on batches, nor, beyond
    floating-point rounding, on the order.

    Parameters
    ----------
    network
        The network.
    inputs
        Returns the inputs of the training materials, anew for each layer.
    n_inputs
        Number of training materials.
    """
    for number, norms in enumerate(network.normalisations(), start=1):
        moments = {norm: _Moments(norm) for norm in norms}
        for _ in _forward(network, inputs(), n_inputs, f"calibration of layer {number}"):
            pass
        for norm, seen in moments.items():
            seen.set_statistics(norm)


def embed(
    network: PotNet, graphs: Sequence[CrystalGraph], label: str | None = "embedding"
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Embed materials in the order of their mat_id.

    One at a time, on one thread: the rounding of a sum depends on how a batch is divided into blocks, and an
    embedding must not depend on its neighbours in the table or on the machine's number of cores.

    Parameters
    ----------
    network
        The network, ready for evaluation.
    graphs
        Graphs of the materials.
    label
        Name of the task in messages about progress; None for no messages.

    Yields
    ------
    tuple
        mat_id and embedding, shape ``(128,)``.

    Raises
    ------
    UserError
        If an embedding is not finite.
    """
    ordered = sorted(graphs, key=lambda graph: graph.mat_id)
    embeddings = _forward(network, map(network_input, ordered), len(ordered), label)
    for graph, embedding in zip(ordered, embeddings, strict=True):
        values = embedding.cpu().numpy()
        if not np.isfinite(values).all():
            raise UserError(
                f"the embedding of {graph.mat_id} is not finite: its graph or the network is damaged. Delete "
                "the run's folder `graphs` and its file `network.safetensors`, and run again."
            )
        yield graph.mat_id, values


def save_network(network: PotNet, path: Path, record: Mapping[str, Any]) -> None:
    """Write weights and statistics as safetensors; the metadata holds the sizes and ``record``."""
    config = {**record, "network": network.config.model_dump()}
    tensors = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
    with atomic_path(path) as part:
        save_file(tensors, part, metadata={CONFIG_KEY: json.dumps(config, sort_keys=True)})


def load_network(path: Path, device: torch.device) -> PotNet:
    """Read a network that ``save_network`` wrote, ready for evaluation.

    Raises
    ------
    UserError
        If the file is damaged; the message says to delete it.
    """
    config, tensors = read_tensors(path, CONFIG_KEY, "pt")
    network = PotNet(NetworkConfig(**config["network"]))
    network.load_state_dict(tensors)
    return network.to(device).eval()


class _Moments:
    """Mean and variance of the inputs of a batch normalisation, accumulated in double precision."""

    def __init__(self, norm: nn.BatchNorm1d) -> None:
        self.count = 0
        self.sum = torch.zeros(norm.num_features, dtype=torch.float64, device=norm.weight.device)
        self.sum_of_squares = torch.zeros_like(self.sum)
        self.hook = norm.register_forward_pre_hook(self._add)

    def _add(self, _norm: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        values = inputs[0].double()
        self.count += len(values)
        self.sum += values.sum(dim=0)
        self.sum_of_squares += (values**2).sum(dim=0)

    def set_statistics(self, norm: nn.BatchNorm1d) -> None:
        """Write the statistics into the normalisation and remove the hook."""
        self.hook.remove()
        mean = self.sum / self.count
        norm.running_mean = mean.float()
        norm.running_var = (self.sum_of_squares / self.count - mean**2).clamp(min=0).float()


def _forward(
    network: PotNet, inputs: Iterable[Data], n_inputs: int, label: str | None
) -> Iterator[torch.Tensor]:
    device = network.readout.weight.device
    for data in track(inputs, label, n_inputs) if label else inputs:
        with torch.inference_mode(), one_thread():
            embedding = network(data.to(device))[0]
        yield embedding
