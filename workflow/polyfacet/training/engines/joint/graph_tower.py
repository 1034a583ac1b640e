"""The tower of crystal graphs: the network of the graph embedding, trained along with the rest."""

import torch
from torch import nn
from torch_geometric.data import Batch

from polyfacet.facets.graph.example_table import input_of
from polyfacet.facets.graph.network import NetworkConfig, PotNet
from polyfacet.training.engines.joint.crystals import Crystals


class GraphTower(nn.Module):
    """A crystal as one or several tokens.

    The network is normalised per atom, not over the atoms of a batch: the answer for a row must not depend on
    the others, half of which show no graph in a step of the training.
    """

    def __init__(self, sizes: tuple[int, int], width: int, n_tokens: int, dropout: float) -> None:
        super().__init__()
        self.n_tokens = n_tokens
        graph_width, layers = sizes
        self.network = PotNet(NetworkConfig(width=graph_width, layers=layers, normalisation="layer"))
        embedding = self.network.config.embedding
        self.layers = nn.Sequential(
            nn.LayerNorm(embedding), nn.GELU(), nn.Dropout(dropout), nn.Linear(embedding, n_tokens * width)
        )

    def forward(self, crystals: Crystals) -> tuple[torch.Tensor, torch.Tensor]:
        """Read the crystals of all rows; see `polyfacet.training.engines.joint.towers.Read`."""
        kind = self.network.readout.weight.dtype
        batch = Batch.from_data_list([input_of(row) for row in crystals.rows])
        batch = batch.apply(lambda tensor: tensor.to(kind) if tensor.is_floating_point() else tensor)
        tokens = self.layers(self.network(batch)).unflatten(1, (self.n_tokens, -1))
        return tokens, tokens.new_full(tokens.shape[:2], 1 / self.n_tokens)
