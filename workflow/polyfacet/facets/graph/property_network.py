"""The network with its head, which predicts the properties it is trained on."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch_geometric.data import Batch, Data

from polyfacet.facets.graph.network import PotNet, PropertyHead
from polyfacet.facets.graph.training_examples import Part
from polyfacet.networks.batch_source import BatchSource
from polyfacet.networks.processes import total


class PropertyNetwork(nn.Module):
    """The network with its head: from crystals to scaled properties."""

    def __init__(self, network: PotNet, n_properties: int) -> None:
        super().__init__()
        self.network = network
        self.head = PropertyHead(network.config, n_properties)

    def forward(self, data: Data) -> torch.Tensor:
        """Map a batch to shape ``(crystals, properties)``."""
        return self.head(self.network(data))

    def accept(self, data: Batch) -> Batch:
        """Return a batch on the device of the weights, and in their precision."""
        weight = self.network.readout.weight
        moved = data.to(weight.device)
        if weight.dtype == torch.float32:
            return moved
        return moved.apply(lambda tensor: tensor.to(weight.dtype) if tensor.is_floating_point() else tensor)


def predict(
    model: PropertyNetwork, steps: BatchSource[list[Part]], ranks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Predict the scaled properties of all materials, those of all processes.

    Parameters
    ----------
    model
        The network.
    steps
        This process's materials.
    ranks
        Ranks of all materials, ascending.

    Returns
    -------
    ndarray
        In the order of the ranks, shape ``(materials, properties)``.
    """
    weight = model.head.linear.weight
    predicted = torch.zeros((len(ranks), len(weight)), dtype=weight.dtype, device=weight.device)
    model.eval()
    with torch.inference_mode():
        for parts in steps.batches(0):
            for part in parts:
                rows = torch.from_numpy(np.searchsorted(ranks, part.ranks)).to(weight.device)
                predicted[rows] = model(model.accept(part.data))
    return total(predicted).cpu().double().numpy()
