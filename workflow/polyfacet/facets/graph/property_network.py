"""The network with its head, which predicts the properties it is trained on."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch_geometric.data import Batch, Data

from polyfacet.facets.graph.network import PotNet, PropertyHead
from polyfacet.facets.graph.training_examples import Examples
from polyfacet.networks.properties import batches


class PropertyNetwork(nn.Module):
    """The network with its head: from crystals to scaled properties."""

    def __init__(self, network: PotNet, n_properties: int) -> None:
        super().__init__()
        self.network = network
        self.head = PropertyHead(network.config, n_properties)

    def forward(self, data: Data) -> torch.Tensor:
        """Map a batch to shape ``(crystals, properties)``."""
        return self.head(self.network(data))


def predict(model: PropertyNetwork, examples: Examples, batch_size: int) -> NDArray[np.float64]:
    """Predict the scaled properties of all materials; shape ``(materials, properties)``."""
    device = model.network.readout.weight.device
    model.eval()
    with torch.inference_mode():
        predicted = torch.cat(
            [
                model(Batch.from_data_list([examples.inputs[row] for row in rows]).to(device)).cpu()
                for rows in batches(np.arange(len(examples.inputs)), batch_size)
            ]
        )
    return predicted.double().numpy()
