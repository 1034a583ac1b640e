"""The graph facet on crystals from public databases: independent of how a source describes them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from real_crystals import real_crystals
from textbook_crystals import SAME_CELL, as_structure, conventional_cell, other_order, supercell

from polyfacet.facets.graph.crystal_graph import build_graphs
from polyfacet.facets.graph.embedding import embed, make_network
from polyfacet.facets.graph.ewald_terms import DOUBLE, SINGLE
from polyfacet.facets.graph.lattice_sums import lattice_sums_of
from polyfacet.facets.graph.local_graph import local_graph
from polyfacet.materials.cif import write_cif
from polyfacet.materials.crystal import primitive_crystal, read_crystal

N_EACH = 10


@pytest.fixture(scope="module")
def crystals(shared):
    return real_crystals(shared / "data", N_EACH)


def graphs_of(crystals):
    return build_graphs(crystals, pauli="coded", neighbours=16, min_radius=0.0)


@pytest.fixture(scope="module")
def graphs(crystals):
    return graphs_of({name: primitive_crystal(crystal) for name, crystal in crystals.items()})


@pytest.fixture(scope="module")
def network(graphs):
    return make_network("calibrated", 42, graphs, torch.device("cpu"))


def embeddings(network, graphs):
    return dict(embed(network, graphs))


@pytest.fixture(scope="module")
def reference(network, graphs):
    return embeddings(network, graphs)


@pytest.fixture(scope="module")
def median_distance(reference):
    values = np.stack(list(reference.values()))
    distances = np.linalg.norm(values[:, None] - values, axis=-1)
    return np.median(distances[np.triu_indices(len(values), 1)])


def through_a_file(crystal, folder):
    write_cif(as_structure(crystal), folder / "x.cif")
    return read_crystal(folder / "x.cif", primitive=True)


@pytest.mark.parametrize("change", [*SAME_CELL, supercell, conventional_cell])
def test_embedding_does_not_depend_on_the_description_of_the_material(
    crystals, network, reference, median_distance, tmp_path, change
):
    changed = {name: through_a_file(change(crystal), tmp_path) for name, crystal in crystals.items()}
    moved = embeddings(network, graphs_of(changed))
    assert len(moved) == 3 * N_EACH
    for name, embedding in moved.items():
        assert np.linalg.norm(embedding - reference[name]) < 1e-4 * median_distance, name


def test_conventional_cells_and_supercells_differ_from_primitive_cells(crystals):
    conventional = {name: conventional_cell(crystal) for name, crystal in crystals.items()}
    assert sum(len(conventional[name]) > len(primitive_crystal(crystals[name])) for name in crystals) > 5
    assert all(len(supercell(crystal)) == 6 * len(crystal) for crystal in crystals.values())


@pytest.mark.parametrize("change", SAME_CELL)
def test_edges_do_not_depend_on_the_description_of_the_crystal(crystals, change):
    for name, crystal in crystals.items():
        reference, changed = local_graph(crystal), local_graph(change(crystal))
        assert len(changed.distance) == len(reference.distance), name
        np.testing.assert_allclose(np.sort(changed.distance), np.sort(reference.distance), atol=1e-9)
        if change is not other_order:
            edges = [np.sort(graph.source * len(crystal) + graph.target) for graph in (reference, changed)]
            np.testing.assert_array_equal(*edges, err_msg=name)


def worst_error(sums, reference):
    """Return the largest deviation, relative to the largest value of the same term in the same crystal."""
    return max(
        float(((a - b).abs().amax((0, 1)) / b.abs().amax((0, 1))).max())
        for a, b in zip(sums, reference, strict=True)
    )


@pytest.mark.parametrize("pauli", ["paper", "coded"])
def test_sums_do_not_depend_on_the_split(crystals, pauli):
    chosen = list(crystals.values())
    reference = lattice_sums_of(chosen, pauli)
    for factor in (0.5, 1.7):
        precision = replace(DOUBLE, split=factor * DOUBLE.split)
        assert worst_error(lattice_sums_of(chosen, pauli, precision=precision), reference) < 1e-12


@pytest.mark.parametrize("pauli", ["paper", "coded"])
def test_single_precision_is_accurate_to_one_millionth(crystals, pauli):
    chosen = list(crystals.values())
    sums = lattice_sums_of(chosen, pauli, precision=SINGLE)
    assert 1e-9 < worst_error(sums, lattice_sums_of(chosen, pauli)) < 1e-6


def test_sums_do_not_depend_on_the_batch(crystals):
    chosen = list(crystals.values())
    together = lattice_sums_of(chosen, "coded")
    for crystal, sums in zip(chosen, together, strict=True):
        assert torch.equal(lattice_sums_of([crystal], "coded")[0], sums)
