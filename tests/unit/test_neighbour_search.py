"""Neighbour searches do not exhaust memory, whatever the shape of the cell."""

import json

import numpy as np
import pytest
from handmade import cesium_chloride
from pymatgen.core import Lattice, Structure
from textbook_crystals import triclinic

from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.materials import neighbour_search
from polyfacet.materials.cif import write_cif
from polyfacet.materials.crystal import Crystal, periodic_neighbours, read_crystal
from polyfacet.materials.neighbour_search import pairs_within, reduced

# One cube of pymatgen's search needs some tens of bytes.
MOST_CUBES = 2e7
# Cells of a stretched and sheared crystal: one is tilted as given, one even when reduced.
ASLANT = {
    "given": [[71.9, 0, 7187.7], [0, 92.7, 0], [0, 0, 71.9]],
    "reduced": [[0, 1.0, 1.0], [9.8, -5.0, 4.8], [908.6, 914.3, -913.8]],
}


@pytest.fixture
def sparing(monkeypatch):
    """Make each search fail for a box of too many cubes before it allocates them."""
    search = neighbour_search.find_points_in_spheres

    def spare(*, lattice, r, **rest):
        assert np.prod(np.abs(lattice).sum(axis=0) / r) < MOST_CUBES
        return search(lattice=lattice, r=r, **rest)

    monkeypatch.setattr(neighbour_search, "find_points_in_spheres", spare)


@pytest.mark.usefixtures("sparing")
@pytest.mark.parametrize("lattice", ASLANT.values(), ids=ASLANT)
def test_a_long_tilted_cell_is_searched_upright(tmp_path, lattice):
    cell = Structure(Lattice(lattice), ["K", "Br"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    write_cif(cell, tmp_path / "x.cif")
    assert len(read_crystal(tmp_path / "x.cif", primitive=False)) == 2


def test_rotating_the_cell_changes_no_distance():
    crystal = triclinic()
    lattice, coords = crystal.reduced_lattice, crystal.reduced_coords
    centre, neighbour, image, distance = periodic_neighbours(crystal, 5.0)
    turned = neighbour_search._upright(lattice)
    np.testing.assert_allclose(turned @ turned.T, lattice @ lattice.T, atol=1e-9)
    found = pairs_within(turned, coords, 5.0)
    table, other = (
        np.column_stack(each)[np.lexsort(np.column_stack(each[:3]).T)]
        for each in ((centre, neighbour, image, distance), found)
    )
    np.testing.assert_allclose(other, table, atol=1e-9)


def test_the_long_vector_of_an_upright_cell_is_along_x():
    turned = neighbour_search._upright(reduced(np.array(ASLANT["reduced"])))
    box = np.abs(turned).sum(axis=0)
    assert np.prod(box) < 20 * abs(np.linalg.det(turned))


def test_close_atoms_are_found_in_a_tilted_cell():
    lattice = np.array(ASLANT["reduced"])
    near = np.array([[0, 0, 0], [0.05, 0, 0]])
    with pytest.raises(ValueError, match="0.05 A apart"):
        Crystal(lattice, near, np.array([19, 35]))


@pytest.mark.parametrize("cell", ["primitive", "conventional"])
def test_a_standard_cell_may_have_shared_sites(cell):
    shared = cesium_chloride("Cs", "Cl", 4.12)
    shared[0] = {"Cs": 0.5, "Rb": 0.5}
    scene = crystal_scene(shared, RenderSettings(cell=cell))
    assert json.loads(scene.views["z"])["contents"]
