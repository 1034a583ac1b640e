"""Chiral crystals keep their handedness in any basis and cell."""

import json

import numpy as np
import pytest
from handmade import entry
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.groups import SpaceGroup
from structure_stages import graphs_of, sampled_and_written, texts_of

from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.standard_cell import standard_cell
from polyfacet.materials.cif import read_cif
from polyfacet.materials.handedness import right_handed

# Space groups without mirrors or inversions, of all crystal systems.
# fmt: off
GROUPS = [
    "P1", "P2", "P2_1", "C2", "P222", "P2_12_12", "P2_12_12_1", "C222_1", "F222", "I222", "I2_12_12_1",
    "P4_1",
    "P4_3", "P4_122", "P4_32_12", "I4_1", "P3_1", "P3_2", "P3_121", "P3_221", "P3_112", "R3", "R32", "P6_1",
    "P6_5", "P6_222", "P6_4", "P2_13", "P4_132", "P4_332", "I4_132",
]
# fmt: on
LATTICES = {
    "triclinic": [
        Lattice.from_parameters(7.1, 5.2, 6.3, 81, 95, 104),
        Lattice.from_parameters(5, 6, 7, 70, 75, 80),
    ],
    "monoclinic": [Lattice.monoclinic(7.1, 5.2, 6.3, 104), Lattice.monoclinic(4.1, 5.2, 8.3, 97)],
    "orthorhombic": [
        Lattice.orthorhombic(*lengths) for lengths in ((7, 5, 6), (5, 6, 7), (6, 7, 5), (5, 7, 6))
    ],
    "tetragonal": [Lattice.tetragonal(6, 9), Lattice.tetragonal(9, 6)],
    "trigonal": [Lattice.hexagonal(6, 9), Lattice.hexagonal(9, 6)],
    "hexagonal": [Lattice.hexagonal(6, 9), Lattice.hexagonal(9, 6)],
    "cubic": [Lattice.cubic(9)],
}


def handedness(structure: Structure) -> float:
    """Return a number that changes sign in a mirror and not under rotation, translation or change of cell."""
    total = 0.0
    centres, others, images, distances = structure.get_neighbor_list(8.0)
    places = structure.frac_coords[others] + images - structure.frac_coords[centres]
    vectors = (places @ structure.lattice.matrix) / distances[:, None]
    weights = np.array([site.specie.Z for site in structure])[others] * (1 - distances / 8) ** 2
    for atom in range(len(structure)):
        mine = centres == atom
        moments = [
            (weights[mine, None] * distances[mine, None] ** power * vectors[mine]).sum(axis=0)
            for power in (-2, -1, 0)
        ]
        total += structure[atom].specie.Z * np.linalg.det(moments)
    return total / len(structure)


@pytest.mark.parametrize(
    ("symbol", "lattice"),
    [
        pytest.param(symbol, lattice, id=f"{symbol}-{number}")
        for symbol in GROUPS
        for number, lattice in enumerate(LATTICES[SpaceGroup(symbol).crystal_system])
    ],
)
def test_standard_cells_keep_the_handedness(symbol, lattice):
    structure = Structure.from_spacegroup(
        symbol, lattice, ["O", "Si"], [[0.11, 0.23, 0.37], [0.32, 0.41, 0.08]]
    )
    expected = handedness(structure)
    assert abs(expected) > 1e-6
    for cell in ("primitive", "conventional"):
        assert handedness(standard_cell(structure, cell)) == pytest.approx(expected, rel=1e-4), cell


UNCHANGED = np.eye(3)
BASES = {
    "swapped": [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
    "reversed": [[-1, 0, 0], [0, -1, 0], [0, 0, -1]],
    "one-reversed": [[1, 0, 0], [0, 1, 0], [0, 0, -1]],
    "skewed": [[1, 2, 0], [0, -1, 0], [-3, 1, 1]],
}


def quartz(basis=UNCHANGED, rotation=UNCHANGED) -> Structure:
    """Return the right-handed crystal (P3_121) in a basis of its lattice, rotated."""
    right = Structure.from_spacegroup(
        "P3_121",
        Lattice.hexagonal(4.913, 5.405),
        ["Si", "O"],
        [[0.4697, 0, 1 / 3], [0.4135, 0.2669, 0.2144]],
    )
    matrix = np.array(basis) @ right.lattice.matrix @ rotation
    return Structure(matrix, right.species, right.cart_coords @ rotation, coords_are_cartesian=True)


def test_left_handed_basis_does_not_produce_a_mirror_image(tmp_path):
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    items = {"right": quartz(), "turned": quartz(rotation=turn)}
    for name, basis in BASES.items():
        items |= {name: quartz(basis), f"turned-{name}": quartz(basis, turn)}
    assert sum(np.linalg.det(item.lattice.matrix) < 0 for item in items.values()) == 2 * len(BASES)
    _, written = sampled_and_written(tmp_path, [entry(name, item) for name, item in items.items()])
    assert set(written.rows) == set(items)
    texts, graphs = texts_of(tmp_path), graphs_of(tmp_path)
    for name, item in items.items():
        read = read_cif(tmp_path / "cif" / f"{name}.cif")
        assert read.get_space_group_info()[1] == 152, name
        assert handedness(read) == pytest.approx(handedness(quartz()), rel=1e-4), name
        assert read.lattice.parameters == pytest.approx(item.lattice.parameters, abs=1e-5)
        assert "P3_121" in texts.rows[name]["text"], name
        edges = np.sort(graphs.rows[name]["edge_distance"])
        assert edges == pytest.approx(np.sort(graphs.rows["right"]["edge_distance"]), abs=1e-6)
        for cell in ("given", "primitive", "conventional"):
            assert drawn_space_group(read, cell) == 152, (name, cell)


def drawn_space_group(structure: Structure, cell: str) -> int:
    """Return the space group of the silicon and oxygen atoms that a picture shows in its unit cell."""
    settings = RenderSettings(cell=cell, bonds=False, views=["oblique"], centered=False)
    scene = json.loads(crystal_scene(structure, settings).views["oblique"])
    parts = {part["name"]: part["contents"] for part in scene["contents"]}
    ends = np.array(parts["unit_cell"][0]["contents"][0]["positions"])
    drawn = Structure(ends[1:6:2] - ends[0], [], [])
    silicon, oxygen = sorted(parts["atoms"], key=lambda spheres: len(spheres["positions"]))
    for element, spheres in (("Si", silicon), ("O", oxygen)):
        for position in spheres["positions"]:
            drawn.append(element, position - ends[0], coords_are_cartesian=True)
    drawn.merge_sites(0.01, mode="delete")
    return right_handed(drawn).get_space_group_info()[1]
