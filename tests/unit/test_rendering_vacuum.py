"""Chains, layers and molecules in vacuum: detected, kept intact, drawn without the empty part of the cell."""

import json

import numpy as np
import pytest
from pymatgen.analysis.graphs import StructureGraph
from pymatgen.core import Lattice, Structure

from polyfacet.facets.image.bonding import OrderedStructureGraph, unbonded
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.vacuum import MARGIN_A, vacuum_of, without_vacuum


def chain() -> Structure:
    """Return a zigzag chain along c at the corner of an oblique cell; its atoms are in all four corners."""
    return Structure(
        Lattice([[16, 0, 0], [-7, 15, 0.0], [0.6, 0.4, 4.0]]),
        ["Se", "Se"],
        [[0.03, 0.98, 0.2], [0.97, 0.02, 0.7]],
    )


def layer() -> Structure:
    """Return graphene, split by the boundary of a cell whose c is not perpendicular to it."""
    return Structure(
        Lattice([[2.46, 0, 0], [-1.23, 2.13, 0], [1, 0.5, 20]]),
        ["C", "C"],
        [[1 / 3, 2 / 3, 0.99], [2 / 3, 1 / 3, 0.01]],
    )


def molecule() -> Structure:
    return Structure(Lattice.cubic(14), ["O", "H", "H"], [[0, 0, 0], [0.05, 0.04, 0], [0.95, 0.04, 0]])


def bulk() -> Structure:
    """Return a layered crystal with a van der Waals gap."""
    return Structure(
        Lattice.hexagonal(3.2, 7.5), ["Sn", "I", "I"], [[0, 0, 0], [1 / 3, 2 / 3, 0.24], [2 / 3, 1 / 3, 0.76]]
    )


def linked(structure: Structure, cutoff: float) -> OrderedStructureGraph:
    """Return a graph with bonds between all atoms closer than the cutoff, A."""
    graph = unbonded(structure)
    for start, end, image, _ in zip(*structure.get_neighbor_list(cutoff), strict=True):
        if start <= end:
            graph.add_edge(int(start), int(end), to_jimage=tuple(image.astype(int)), warn_duplicates=False)
    return graph


def bond_vectors(graph: StructureGraph) -> np.ndarray:
    """Return the bonds as sorted Cartesian vectors, shape (n, 3), A."""
    sites = graph.structure
    vectors = [
        sites.lattice.get_cartesian_coords(
            np.array(sites[end].frac_coords) + bond["to_jimage"] - sites[start].frac_coords
        )
        for start, end, bond in graph.graph.edges(data=True)
    ]
    signed = [vector if tuple(vector.round(6)) > (0, 0, 0) else -vector for vector in vectors]
    return np.array(sorted(np.round(signed, 6).tolist()))


@pytest.mark.parametrize(
    ("structure", "axes"), [(chain(), [0, 1]), (layer(), [2]), (molecule(), [0, 1, 2]), (bulk(), [])]
)
def test_vacuum_is_found_along_the_right_axes(structure, axes):
    assert list(vacuum_of(structure)) == axes


@pytest.mark.parametrize(("structure", "cutoff"), [(chain(), 3.0), (layer(), 1.6), (molecule(), 1.2)])
def test_removing_vacuum_keeps_bond_vectors(structure, cutoff):
    graph = linked(structure, cutoff)
    tight = without_vacuum(graph, vacuum_of(structure))
    assert graph.graph.number_of_edges() > 0
    assert bond_vectors(tight) == pytest.approx(bond_vectors(graph), abs=1e-5)
    assert list(tight.structure.species) == list(structure.species)


@pytest.mark.parametrize("structure", [chain(), layer(), molecule()])
def test_removing_vacuum_fits_the_cell_to_the_atoms(structure):
    axes = list(vacuum_of(structure))
    tight = without_vacuum(unbonded(structure), vacuum_of(structure)).structure
    coords, lengths = tight.frac_coords, np.array(tight.lattice.abc)
    assert coords.min() >= 0
    assert coords.max() < 1
    assert (coords.min(axis=0) * lengths)[axes] == pytest.approx(MARGIN_A)
    assert ((1 - coords.max(axis=0)) * lengths)[axes] == pytest.approx(MARGIN_A)
    periodic = [axis for axis in range(3) if axis not in axes]
    assert tight.lattice.matrix[periodic] == pytest.approx(structure.lattice.matrix[periodic])
    for axis in axes:
        others = np.delete(tight.lattice.matrix, axis, axis=0)
        assert others @ tight.lattice.matrix[axis] == pytest.approx([0, 0])
    assert np.linalg.det(tight.lattice.matrix) > 0


def test_a_bond_across_the_vacuum_is_left_out():
    graph = linked(layer(), 1.6)
    n_bonds = graph.graph.number_of_edges()
    graph.add_edge(0, 0, to_jimage=(0, 0, 1))
    assert without_vacuum(graph, vacuum_of(layer())).graph.number_of_edges() == n_bonds


def test_nothing_is_drawn_beyond_the_ends_of_a_molecule():
    """Its outermost atoms are so close to the boundary that Crystal Toolkit would repeat them in bulk."""
    sites = [[5 + 1.3 * i, 6, 6] for i in range(30)]
    rod = Structure(Lattice.orthorhombic(60, 12, 12), ["C"] * 30, sites, coords_are_cartesian=True)
    (scene,) = crystal_scene(rod, RenderSettings(bonds=False)).views.values()
    atoms = next(part for part in json.loads(scene)["contents"] if part["name"] == "atoms")
    assert sum(len(primitive["positions"]) for primitive in atoms["contents"]) == 30


@pytest.mark.parametrize("structure", [chain(), molecule()])
def test_drawing_does_not_depend_on_the_position_of_the_cell_boundary(structure):
    moved = structure.copy()
    moved.translate_sites(range(len(moved)), [0.3, 0.4, 0])
    settings = RenderSettings(bonds=False, views=["oblique"])
    first, second = (json.loads(crystal_scene(one, settings).views["oblique"]) for one in (structure, moved))
    for one, other in zip(first["contents"], second["contents"], strict=True):
        assert one["origin"] == pytest.approx(other["origin"])


def test_the_vacuum_can_be_kept():
    (scene,) = crystal_scene(molecule(), RenderSettings(vacuum="keep")).views.values()
    cell = next(part for part in json.loads(scene)["contents"] if part["name"] == "unit_cell")
    assert np.ptp(cell["contents"][0]["contents"][0]["positions"], axis=0) == pytest.approx([14, 14, 14])
