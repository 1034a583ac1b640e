import numpy as np
import pytest
import torch
from textbook_crystals import all_crystals, rocksalt, triclinic
from torch_geometric.data import Batch

from polyfacet.facets.graph.crystal_graph import CrystalGraph, build_graphs
from polyfacet.facets.graph.element_features import MAX_ATOMIC_NUMBER, element_feature_table
from polyfacet.facets.graph.local_graph import LocalGraph
from polyfacet.facets.graph.network import (
    GaussianBasis,
    MultiquadricBasis,
    NetworkConfig,
    PotNet,
    PropertyHead,
    network_input,
)

SMALL = NetworkConfig(width=32, layers=2)


def graphs_of(crystals) -> list[CrystalGraph]:
    return build_graphs(crystals, pauli="coded", neighbours=16, min_radius=0.0)


@pytest.fixture(scope="module")
def network() -> PotNet:
    torch.manual_seed(0)
    return PotNet(SMALL).eval()


def test_number_of_parameters_is_that_of_the_published_network():
    n_parameters = sum(parameter.numel() for parameter in PotNet(NetworkConfig(width=256)).parameters())
    assert n_parameters == pytest.approx(2.7e6, rel=0.02)


def test_features_distinguish_all_but_some_f_elements():
    table = element_feature_table()
    assert table.shape == (MAX_ATOMIC_NUMBER + 1, 92)
    assert not table[0].any()
    assert len(torch.unique(table[1:57], dim=0)) == 56
    assert len(torch.unique(table[1:], dim=0)) == 92


def test_bases_peak_at_their_centres_and_distinguish_distant_values():
    values = torch.tensor([-4.0, 0.0, 4.0])
    assert GaussianBasis(9)(values).argmax(dim=1).tolist() == [0, 4, 8]
    assert MultiquadricBasis(9)(values).argmin(dim=1).tolist() == [0, 4, 8]
    far = MultiquadricBasis(9)(torch.tensor([10.0, 20.0]))
    assert (far[0] - far[1]).abs().min() > 9


def test_embedding_does_not_depend_on_the_batch(network):
    inputs = [network_input(graph) for graph in graphs_of(all_crystals())]
    with torch.inference_mode():
        together = network(Batch.from_data_list(inputs))
        alone = torch.cat([network(data) for data in inputs])
    assert together.shape == (len(inputs), SMALL.embedding)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert torch.pdist(alone).min() > 1e-2


def test_equal_edges_count_as_often_as_they_occur(network):
    (graph,) = graphs_of({"rocksalt": rocksalt()})
    data = network_input(graph)
    assert data.edge_count.sum() == len(graph.local.source) > len(data.edge_count)
    repeats = data.edge_count.long()
    spread = data.clone()
    spread.edge_index = data.edge_index.repeat_interleave(repeats, dim=1)
    spread.edge_potential = data.edge_potential.repeat_interleave(repeats)
    spread.edge_count = torch.ones(int(repeats.sum()))
    with torch.inference_mode():
        torch.testing.assert_close(network(data), network(spread), rtol=1e-4, atol=1e-5)


def test_both_branches_and_all_terms_reach_the_embedding(network):
    (graph,) = graphs_of({"triclinic": triclinic()})

    def embed(local: LocalGraph, potentials: np.ndarray) -> torch.Tensor:
        changed = CrystalGraph("x", graph.atomic_numbers, potentials, local)
        with torch.inference_mode():
            return network(network_input(changed))

    reference = embed(graph.local, graph.pair_potentials)
    longer = LocalGraph(graph.local.source, graph.local.target, graph.local.distance * 1.05)
    assert (embed(longer, graph.pair_potentials) - reference).abs().max() > 1e-4
    for term in range(3):
        potentials = graph.pair_potentials.copy()
        potentials[..., term] += 1.0
        assert (embed(graph.local, potentials) - reference).abs().max() > 1e-5


def test_head_makes_the_entire_network_trainable():
    torch.manual_seed(0)
    network, head = PotNet(SMALL), PropertyHead(SMALL, n_properties=7)
    graphs = graphs_of({"rocksalt": rocksalt(), "triclinic": triclinic()})
    batch = Batch.from_data_list([network_input(graph) for graph in graphs])
    predictions = head(network(batch))
    assert predictions.shape == (2, 7)
    predictions.square().sum().backward()
    without_gradient = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert without_gradient == []
