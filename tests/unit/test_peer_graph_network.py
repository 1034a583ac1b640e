"""CGCNN of the benchmark: its neighbours, and that a crystal's numbers do not depend on its batch."""

import json
import sys
from types import ModuleType

import pytest
import torch
from project import PROJECT
from pymatgen.core import Structure
from rewritten_structures import chain, quartz, rewritten, rock_salt
from torch_geometric.data import Batch


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "benchmarks"))
        import peer_graph_network

        yield peer_graph_network
        for name in ("peer_graph_network", "embeddings", "scripts_path"):
            sys.modules.pop(name, None)


def as_json(structure: Structure) -> str:
    return json.dumps(structure.as_dict())


def test_each_atom_has_its_twelve_nearest_neighbours(peer: ModuleType) -> None:
    data = peer.nearest_neighbours(as_json(rock_salt()))
    assert data.num_nodes == 2
    assert torch.bincount(data.edge_index[1]).tolist() == [12, 12]
    # Six of the other element, then the first ones of the twelve of its own.
    found = data.distance.reshape(2, 12).sort(dim=1).values
    torch.testing.assert_close(found[:, :6], torch.full((2, 6), 2.8201))
    torch.testing.assert_close(found[:, 6:], torch.full((2, 6), 3.9882), atol=1e-3, rtol=0)


def test_atoms_beyond_the_radius_are_no_neighbours(peer: ModuleType) -> None:
    data = peer.nearest_neighbours(as_json(chain()))
    assert data.distance.tolist() == pytest.approx([2.4, 2.4, 4.8, 4.8, 7.2, 7.2])


def test_the_network_sees_the_crystal_and_nothing_else(peer: ModuleType) -> None:
    torch.manual_seed(0)
    network = peer.Cgcnn().eval()
    inputs = [peer.nearest_neighbours(as_json(each)) for each in (quartz(), rewritten(quartz()), rock_salt())]
    with torch.inference_mode():
        together = network(Batch.from_data_list(inputs))
        alone = torch.cat([network(Batch.from_data_list([each])) for each in inputs])
    assert together.shape == (3, 128)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together[0], together[1], rtol=1e-3, atol=1e-4)
    assert (together[0] - together[2]).abs().max() > 1e-2
    # Atoms, three convolutions with batch normalisation, hidden layer.
    assert sum(each.numel() for each in network.parameters()) == 79_936
