"""A PotNet-style network: local and infinite message passing between the atoms of a crystal.

Implemented from the formulas of arXiv:2306.10045: each layer adds the outputs of a convolution over the local
graph and of an attention-like one over all pairs of atoms, whose edges carry the complete potential.
"""

from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import silu
from torch_geometric.data import Data
from torch_geometric.nn import MessagePassing, global_mean_pool

from polyfacet.config.graphs import NetworkSize
from polyfacet.facets.graph.crystal_graph import CrystalGraph
from polyfacet.facets.graph.element_features import (
    MAX_ATOMIC_NUMBER,
    N_ELEMENT_FEATURES,
    element_feature_table,
)
from polyfacet.facets.graph.lattice_sums import summed_potential
from polyfacet.networks.batch_normalisation import BatchNorm

Normalisation = Literal["batch", "layer"]

# Bonds enter as the attractive potential -0.75/d; strength in eV A over e.
BOND_STRENGTH = -0.75
BASIS_RANGE = (-4.0, 4.0)
# Lengths that differ by less than this are equal, A: the network's single precision does not resolve them.
SAME_LENGTH_A = 1e-6


class NetworkConfig(NetworkSize):
    """Sizes of the network: width and layers, which users configure, and those that are fixed.

    Attributes
    ----------
    embedding
        Length of the embedding.
    local_centres, infinite_centres
        Number of basis functions in which edges of the local and of the complete graph are expanded.
    normalisation
        Of the messages that reach an atom: over the atoms of a batch, as published, or over its own numbers,
        so that no crystal depends on others.
    """

    embedding: int = 128
    local_centres: int = 256
    infinite_centres: int = 64
    normalisation: Normalisation = "batch"


class GaussianBasis(nn.Module):
    """Expansion of a scalar in Gaussians, as wide as the spacing of their centres."""

    centres: torch.Tensor

    def __init__(self, n_centres: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(*BASIS_RANGE, n_centres), persistent=False)
        self.spacing = (BASIS_RANGE[1] - BASIS_RANGE[0]) / (n_centres - 1)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map shape ``(E,)`` to ``(E, n_centres)``."""
        return torch.exp(-(((values[:, None] - self.centres) / self.spacing) ** 2))


class MultiquadricBasis(GaussianBasis):
    """Expansion of a scalar in multiquadrics, which, unlike Gaussians, also resolve values out of range."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map shape ``(E,)`` to ``(E, n_centres)``."""
        return torch.sqrt((values[:, None] - self.centres) ** 2 + self.spacing**2)


class Edges(NamedTuple):
    """Features of edges; edges that are equal by symmetry share one computation.

    Parameters
    ----------
    distinct
        Features of the distinct edges, shape ``(kinds, width)``.
    kind
        Row of ``distinct`` for every edge, shape ``(E,)``.
    """

    distinct: torch.Tensor
    kind: torch.Tensor

    @classmethod
    def embed(cls, embedding: nn.Module, potential: torch.Tensor) -> "Edges":
        """Embed potentials of shape ``(E,)``."""
        distinct, kind = torch.unique(potential, return_inverse=True)
        return cls(embedding(distinct), kind)


def _new_norm(width: int, normalisation: Normalisation) -> nn.Module:
    return BatchNorm(width) if normalisation == "batch" else nn.LayerNorm(width)


class LocalConvolution(MessagePassing):
    """Gated messages from the neighbours of the local graph, summed."""

    def __init__(self, width: int, normalisation: Normalisation) -> None:
        super().__init__(aggr="sum")
        self.target = nn.Linear(width, 2 * width)
        self.source = nn.Linear(width, 2 * width, bias=False)
        self.edge = nn.Linear(width, 2 * width, bias=False)
        self.norm = _new_norm(width, normalisation)

    def forward(
        self, atoms: torch.Tensor, edge_index: torch.Tensor, edges: Edges, edge_count: torch.Tensor
    ) -> torch.Tensor:
        """Map atoms ``(N, width)`` and edges with their counts to ``(N, width)``."""
        summed = self.propagate(
            edge_index,
            target=self.target(atoms),
            source=self.source(atoms),
            edge=self.edge(edges.distinct)[edges.kind],
            count=edge_count[:, None],
        )
        return self.norm(summed)

    def message(
        self, target_i: torch.Tensor, source_j: torch.Tensor, edge: torch.Tensor, count: torch.Tensor
    ) -> torch.Tensor:
        """Compute the gated message of an edge from its two atoms and its length."""
        gate, content = (target_i + source_j + edge).chunk(2, dim=-1)
        return count * torch.sigmoid(gate) * silu(content)


class InfiniteConvolution(MessagePassing):
    """Attention-like gated messages between all pairs of atoms, averaged."""

    def __init__(self, width: int, normalisation: Normalisation) -> None:
        super().__init__(aggr="mean")
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.edge_key = nn.Linear(width, width, bias=False)
        self.gate_norm = nn.LayerNorm(width)
        self.target = nn.Linear(width, width)
        self.source = nn.Linear(width, width, bias=False)
        self.edge = nn.Linear(width, width, bias=False)
        self.content = nn.Linear(width, width)
        self.norm = _new_norm(width, normalisation)

    def forward(self, atoms: torch.Tensor, pair_index: torch.Tensor, pairs: Edges) -> torch.Tensor:
        """Map atoms ``(N, width)`` and pairs to ``(N, width)``."""
        averaged = self.propagate(
            pair_index,
            query=self.query(atoms),
            key=self.key(atoms),
            pair_key=self.edge_key(pairs.distinct)[pairs.kind],
            target=self.target(atoms),
            source=self.source(atoms),
            pair=self.edge(pairs.distinct)[pairs.kind],
        )
        return self.norm(self.content(averaged))

    def message(
        self,
        query_i: torch.Tensor,
        key_j: torch.Tensor,
        pair_key: torch.Tensor,
        target_i: torch.Tensor,
        source_j: torch.Tensor,
        pair: torch.Tensor,
    ) -> torch.Tensor:
        """Gate the content of a pair, feature by feature, by the agreement of query and key."""
        gate = torch.sigmoid(self.gate_norm(query_i * (key_j + pair_key)))
        return gate * silu(target_i + source_j + pair)


class PotNetLayer(nn.Module):
    """One step of message passing: each atom receives the sum of messages from both branches."""

    def __init__(self, width: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.local = LocalConvolution(width, normalisation)
        self.infinite = InfiniteConvolution(width, normalisation)

    def forward(self, atoms: torch.Tensor, data: Data, edges: Edges, pairs: Edges) -> torch.Tensor:
        """Map atoms ``(N, width)`` to ``(N, width)``."""
        local = self.local(atoms, data.edge_index, edges, data.edge_count)
        return silu(atoms + local + self.infinite(atoms, data.pair_index, pairs))


class PotNet(nn.Module):
    """The network up to the embedding; `PropertyHead` continues it for training.

    Parameters
    ----------
    config
        Sizes.
    """

    element_features: torch.Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("element_features", element_feature_table(), persistent=False)
        self.atom = nn.Linear(N_ELEMENT_FEATURES, config.width)
        self.edge = nn.Sequential(
            GaussianBasis(config.local_centres), nn.Linear(config.local_centres, config.width), nn.SiLU()
        )
        self.pair = nn.Sequential(
            MultiquadricBasis(config.infinite_centres),
            nn.Linear(config.infinite_centres, config.width),
            nn.SiLU(),
        )
        self.layers = nn.ModuleList(
            PotNetLayer(config.width, config.normalisation) for _ in range(config.layers)
        )
        self.readout = nn.Linear(config.width, config.embedding)
        # Learned per element, beyond its features, which are the same for some f elements.
        self.element = nn.Parameter(torch.zeros(MAX_ATOMIC_NUMBER + 1, config.width))

    def forward(self, data: Data) -> torch.Tensor:
        """Embed the crystals of a (batched) `network_input`; shape ``(crystals, embedding)``."""
        atoms = self.atom(self.element_features[data.atomic_numbers]) + self.element[data.atomic_numbers]
        edges, pairs = (
            Edges.embed(self.edge, data.edge_potential),
            Edges.embed(self.pair, data.pair_potential),
        )
        for layer in self.layers:
            atoms = layer(atoms, data, edges, pairs)
        return self.readout(global_mean_pool(atoms, data.batch))

    def normalisations(self) -> list[list[nn.BatchNorm1d]]:
        """List the batch normalisations per layer: those of a layer depend on all preceding layers."""
        return [
            [module for module in layer.modules() if isinstance(module, nn.BatchNorm1d)]
            for layer in self.layers
        ]


class PropertyHead(nn.Module):
    """Prediction of properties from the embedding, for training the network; not part of the embedding.

    It is linear, so that training makes the properties linearly readable from the embedding.
    """

    def __init__(self, config: NetworkConfig, n_properties: int) -> None:
        super().__init__()
        self.linear = nn.Linear(config.embedding, n_properties)

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """Map shape ``(crystals, embedding)`` to ``(crystals, n_properties)``."""
        return self.linear(embedding)


def network_input(graph: CrystalGraph) -> Data:
    """Convert a graph to the input of `PotNet`; `torch_geometric.data.Batch` joins several.

    By symmetry, most edges of a local graph have the same atoms and length: such edges are stored once, with
    a count.  Potentials are combined in double precision; the network runs in single precision.
    """
    n_atoms = len(graph.atomic_numbers)
    atoms = torch.arange(n_atoms)
    length = np.rint(graph.local.distance / SAME_LENGTH_A).astype(np.int64)
    edges = np.column_stack([graph.local.source, graph.local.target, length])
    edges, counts = np.unique(edges, axis=0, return_counts=True)
    return Data(
        num_nodes=n_atoms,
        atomic_numbers=torch.tensor(graph.atomic_numbers),
        edge_index=torch.tensor(edges[:, :2].T),
        edge_potential=torch.tensor(BOND_STRENGTH / (edges[:, 2] * SAME_LENGTH_A)).float(),
        edge_count=torch.tensor(counts).float(),
        pair_index=torch.cartesian_prod(atoms, atoms).T.contiguous(),
        pair_potential=summed_potential(torch.tensor(graph.pair_potentials)).ravel().float(),
    )
