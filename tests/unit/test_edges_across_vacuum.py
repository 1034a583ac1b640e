"""Edges across vacuum: included by default, as in the published graphs, and omitted on request."""

import numpy as np
import pytest
from handmade import entry, rock_salt
from pymatgen.core import Lattice, Structure
from structure_stages import graphs_of, sampled_and_written

VACUUM_A = 6.0


def layer(c: float = 18.5, shift: float = 0.0) -> Structure:
    heights = np.array([9.25, 10.8, 7.7]) / c + shift
    coords = [[1 / 3, 2 / 3, heights[0]], [2 / 3, 1 / 3, heights[1]], [2 / 3, 1 / 3, heights[2]]]
    return Structure(Lattice.hexagonal(3.16, c), ["Mo", "S", "S"], coords)


def wire(shift: float = 0.0) -> Structure:
    coords = [[0.02 + shift, 0.98 + shift, 0.2], [0.98 + shift, 0.02 + shift, 0.7]]
    return Structure(Lattice([[16, 0, 0], [-7, 15, 0.0], [0.6, 0.4, 4.0]]), ["Se", "Te"], coords)


def molecule() -> Structure:
    return Structure(Lattice.cubic(14), ["O", "H", "H"], [[0, 0, 0], [0.05, 0.04, 0], [0.95, 0.04, 0]])


def two_molecules() -> Structure:
    coords = [[0.1, 0.1, 0.1], [0.2, 0.1, 0.1], [0.6, 0.6, 0.6], [0.7, 0.6, 0.6]]
    return Structure(Lattice.cubic(18), ["C", "O", "N", "N"], coords)


def other_basis(structure: Structure, steps) -> Structure:
    matrix = np.array(steps) @ structure.lattice.matrix
    return Structure(matrix, structure.species, structure.cart_coords, coords_are_cartesian=True)


# A layer that is thinner than its cell is wide, in a cell whose long axes are tilted.
THIN = Structure(
    Lattice([[12, 0, 0], [0, 11, 0], [4, 3, 8.0]]), ["C"] * 4, [[x, y, 0] for x in (0, 0.5) for y in (0, 0.5)]
)
VACUOUS = {
    "layer": layer(),
    "layer-torn": layer(shift=0.5),
    "layer-skewed": other_basis(layer(), [[1, 0, 1], [0, 1, 1], [0, 0, 1]]),
    "layer-far": layer(c=60),
    "thin": THIN,
    "thin-skewed": other_basis(THIN, [[1, 0, 1], [0, 1, -1], [1, 0, 2]]),
    "wire": wire(),
    "wire-torn": wire(shift=0.5),
    "wire-skewed": other_basis(wire(), [[1, 0, 2], [1, 1, 0], [0, 0, 1]]),
}
MOLECULES = {
    "molecule": (molecule(), [2, 2, 2]),
    "molecule-skewed": (other_basis(molecule(), [[1, 1, 0], [0, 1, 0], [0, 2, 1]]), [2, 2, 2]),
    "two-molecules": (two_molecules(), [1, 1, 1, 1]),
    "atom": (Structure(Lattice.cubic(12), ["Fe"], [[0, 0, 0]]), [0]),
}
BULK = {
    "salt": rock_salt("Na", "Cl", 5.64),
    "iodide": Structure(
        Lattice.hexagonal(3.2, 7.5), ["Sn", "I", "I"], [[0, 0, 0], [1 / 3, 2 / 3, 0.24], [2 / 3, 1 / 3, 0.76]]
    ),
    "xenon": Structure(
        Lattice.cubic(6.13), ["Xe"] * 4, [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    ),
}


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """Return the graphs of all crystals, with and without edges across vacuum."""
    folder = tmp_path_factory.mktemp("vacuum")
    crystals = {**VACUOUS, **{name: one for name, (one, _) in MOLECULES.items()}, **BULK}
    _, written = sampled_and_written(folder, [entry(name, one) for name, one in crystals.items()])
    assert not written.reasons
    return graphs_of(folder).rows, graphs_of(folder, across_vacuum=False).rows


def degrees(row) -> list[int]:
    """Return half the number of edges to each atom: with multiplicity 2, mutual edges count twice."""
    return (np.bincount(row["edge_target"], minlength=len(row["atomic_numbers"])) // 2).tolist()


@pytest.mark.parametrize("name", BULK)
def test_graphs_of_bulk_crystals_do_not_change(graphs, name):
    published, inside = graphs
    for column, values in published[name].items():
        assert np.array_equal(values, inside[name][column]), column


@pytest.mark.parametrize("name", VACUOUS)
def test_layers_and_wires_keep_only_their_own_neighbours(graphs, name):
    published, inside = graphs
    assert min(degrees(inside[name])) >= 16
    # Only in a dense layer are sixteen neighbours closer than the next image.
    kind = name.split("-")[0]
    assert np.array_equal(inside[name]["edge_distance"], published[name]["edge_distance"]) == (
        kind == "layer"
    )
    assert np.array_equal(inside[name]["pair_potentials"], published[name]["pair_potentials"])


def test_the_choice_of_the_cell_does_not_matter(graphs):
    _, inside = graphs
    for name in ("layer-torn", "layer-skewed", "layer-far", "thin-skewed", "wire-torn", "wire-skewed"):
        plain = np.sort(inside[name.split("-")[0]]["edge_distance"])
        assert np.sort(inside[name]["edge_distance"]) == pytest.approx(plain, abs=1e-6), name


@pytest.mark.parametrize("name", MOLECULES)
def test_atoms_of_a_molecule_have_its_other_atoms_as_neighbours(graphs, name):
    published, inside = graphs
    assert degrees(inside[name]) == MOLECULES[name][1]
    assert published[name]["edge_distance"].max() > VACUUM_A
    assert (inside[name]["edge_distance"] < VACUUM_A).all()
