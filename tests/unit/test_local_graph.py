from collections import Counter

import numpy as np
import pytest
from textbook_crystals import SAME_CELL, all_crystals, copper, diamond, rocksalt, triclinic

from polyfacet.facets.graph.local_graph import SHELL_TOLERANCE_A, local_graph
from polyfacet.materials.crystal import Crystal

CRYSTALS = all_crystals()
# Reference crystals whose 16th neighbour completes a shell, so that the published graph is unambiguous.
CLOSED = ("diamond_conv", "diamond_prim", "rocksalt_prim", "triclinic_badbasis")


def shells(graph) -> Counter:
    return Counter(np.round(graph.distance, 6).tolist())


@pytest.mark.parametrize(
    ("crystal", "expected"),
    [
        (copper(), {3.61 / 2**0.5: 12, 3.61: 6}),
        (rocksalt(), {5.64 / 2: 6, 5.64 / 2**0.5: 12}),
        (diamond(), {3.567 * 3**0.5 / 4: 4, 3.567 / 2**0.5: 12}),
    ],
)
def test_textbook_shells_are_complete_and_counted_with_multiplicity(crystal, expected):
    for multiplicity in (1, 2):
        found = shells(local_graph(crystal, multiplicity=multiplicity))
        assert found == {
            round(distance, 6): n * len(crystal) * multiplicity for distance, n in expected.items()
        }


@pytest.mark.parametrize("name", CRYSTALS)
def test_graph_is_symmetric_and_reaches_every_atom(name):
    for multiplicity in (1, 2):
        graph = local_graph(CRYSTALS[name], multiplicity=multiplicity)
        forth = Counter(zip(graph.source, graph.target, np.round(graph.distance, 6), strict=True))
        back = Counter(zip(graph.target, graph.source, np.round(graph.distance, 6), strict=True))
        assert forth == back
        assert np.bincount(graph.target, minlength=len(CRYSTALS[name])).min() >= 16


@pytest.mark.parametrize("change", SAME_CELL)
@pytest.mark.parametrize("name", CRYSTALS)
def test_edges_do_not_depend_on_the_description_of_the_crystal(name, change):
    reference, changed = local_graph(CRYSTALS[name]), local_graph(change(CRYSTALS[name]))
    np.testing.assert_allclose(np.sort(changed.distance), np.sort(reference.distance), atol=1e-9)


def test_one_sided_edge_counts_half_as_much_as_a_mutual_one():
    # The distant atom chooses an atom of the pair, but neither of them chooses it.
    crystal = Crystal(
        np.diag([60.0, 60, 60]), np.array([[0, 0, 0], [1.0, 0, 0], [9.0, 0, 0]]), np.ones(3, int)
    )
    graph = local_graph(crystal, neighbours=1)
    edges = Counter(zip(graph.source.tolist(), graph.target.tolist(), strict=True))
    assert edges == {(0, 1): 2, (1, 0): 2, (1, 2): 1, (2, 1): 1}
    single = local_graph(crystal, neighbours=1, multiplicity=1)
    assert sorted(zip(single.source, single.target, strict=True)) == [(0, 1), (1, 0), (1, 2), (2, 1)]


def test_all_neighbours_within_the_radius_are_chosen():
    graph = local_graph(diamond(), min_radius=4.0, multiplicity=1)
    assert np.bincount(graph.target).tolist() == [4 + 12 + 12 + 6 + 12] * 8


@pytest.mark.parametrize(("gap", "choices_of_the_middle"), [(0.9, 2), (1.1, 1)])
def test_shell_is_closed_across_small_differences_only(gap, choices_of_the_middle):
    x = np.array([0.0, 2.0, 4.0 + gap * SHELL_TOLERANCE_A])
    crystal = Crystal(np.eye(3) * 50.0, np.column_stack([x, 0 * x, 0 * x]), np.ones(3, dtype=int))
    graph = local_graph(crystal, neighbours=1)
    # Both outer atoms choose the one in the middle.
    assert np.bincount(graph.target)[1] == 2 + choices_of_the_middle


def test_one_atom_in_a_wide_cell_sees_its_images():
    graph = local_graph(Crystal(np.diag([30.0, 31, 32]), np.zeros((1, 3)), np.array([2])))
    assert len(graph.distance) >= 32
    assert graph.distance.min() == 30.0


def test_reference_graphs(shared):
    for file in sorted((shared / "reference" / "potnet").glob("*.npz")):
        reference = np.load(file)
        crystal = Crystal(reference["lattice"], reference["cart_coords"], reference["atomic_numbers"])
        graph = local_graph(crystal)
        extra = extra_edges(graph, reference["edge_index_jarvis2022"], reference["edge_dist_jarvis2022"])
        assert (len(extra) == 0) == (file.stem in CLOSED), file.stem
        # The published graphs lack parts of shells that they cut: every additional edge is as long as the
        # last shell of one of its atoms.
        single = local_graph(crystal, multiplicity=1)
        last = [np.sort(single.distance[single.target == atom])[15] for atom in range(len(crystal))]
        for source, target, distance in extra:
            assert min(abs(distance - last[source]), abs(distance - last[target])) < 2 * SHELL_TOLERANCE_A


def extra_edges(graph, edge_index, distances) -> list[tuple[int, int, float]]:
    """Return the edges of the graph that are not in the reference, whose edges must all be in the graph."""
    remaining: dict[tuple[int, int], list[float]] = {}
    for source, target, distance in zip(graph.source, graph.target, graph.distance, strict=True):
        remaining.setdefault((source, target), []).append(distance)
    for (source, target), distance in zip(edge_index.T, distances, strict=True):
        candidates = remaining[source, target]
        nearest = int(np.argmin(np.abs(np.array(candidates) - distance)))
        # The reference rounded its lattice vectors to 1e-5 A.
        assert abs(candidates.pop(nearest) - distance) < 1e-4
    return [(source, target, d) for (source, target), left in remaining.items() for d in left]


def test_cell_without_symmetry_has_only_the_requested_neighbours():
    # The images of an atom come in pairs, so that 16 may become 17.
    assert 2 * 16 * 4 <= len(local_graph(triclinic()).distance) <= 2 * 17 * 4
