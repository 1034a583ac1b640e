"""Pymatgen's search for a smaller cell is skipped only where it would find none."""

import itertools
import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from polyfacet.materials import twin_cells
from polyfacet.materials.smaller_cells import may_have_smaller_cell
from polyfacet.materials.twin_cells import PRIMITIVE_WITHIN_A, Candidate, reduced_cell
from polyfacet.sources.alexandria.entries import read_entries

KINDS = [["Na"], ["Na", "Na"], ["Na", "Cl"], ["Na", "Cl", "Cl"], ["Na", "Na", "Cl", "Cl"]]
SHAPES = [
    np.diag([2, 1, 1]),
    np.diag([1, 1, 3]),
    np.diag([2, 2, 2]),
    np.diag([3, 1, 2]),
    [[1, 1, 0], [-1, 1, 0], [0, 0, 2]],
    [[2, 1, 0], [0, 3, 1], [0, 0, 1]],
    [[1, 0, 0], [5, 1, 0], [2, 1, 4]],
]


def supercell(rng: np.random.Generator) -> Structure:
    """Return a multiple of a random cell, with atoms displaced by about as much as the search allows."""
    lattice = Lattice.from_parameters(*rng.uniform(2.5, 5, 3), *rng.uniform(65, 115, 3))
    kinds = KINDS[rng.integers(len(KINDS))]
    cell = Structure(lattice, kinds, rng.uniform(size=(len(kinds), 3)))
    cell.make_supercell(SHAPES[rng.integers(len(SHAPES))])
    steps = rng.normal(scale=rng.uniform(0, 0.06), size=(len(cell), 3))
    coords = (cell.cart_coords + steps)[order := rng.permutation(len(cell))]
    species = [cell[i].species for i in order]
    return Structure(cell.lattice, species, coords, coords_are_cartesian=True)


def has_smaller_cell(crystal: Structure) -> bool:
    return len(crystal.get_primitive_structure(PRIMITIVE_WITHIN_A)) < len(crystal)


@pytest.mark.parametrize("seed", range(10))
def test_no_smaller_cell_is_missed(seed):
    rng = np.random.default_rng(seed)
    cells = [supercell(rng) for _ in range(40)]
    wanted = [has_smaller_cell(cell) for cell in cells]
    assert 5 < sum(wanted) < 35
    assert [may_have_smaller_cell(cell, PRIMITIVE_WITHIN_A) for cell in cells] == wanted


@pytest.mark.parametrize("noise", [0, 0.02, 0.03, 0.05])
def test_no_smaller_cell_of_real_crystals_is_missed(alexandria_1d, noise):
    rng = np.random.default_rng(0)
    entries = read_entries(alexandria_1d / "alexandria_1d_000.json.bz2")
    for _, raw in itertools.islice(entries, 40):
        cell = Structure.from_dict(raw["structure"])
        if len(cell) <= 12:
            cell.make_supercell([1, 2, 2])
            steps = rng.normal(scale=noise, size=(len(cell), 3))
            cell = Structure(cell.lattice, cell.species, cell.cart_coords + steps, coords_are_cartesian=True)
            assert may_have_smaller_cell(cell, PRIMITIVE_WITHIN_A) == has_smaller_cell(cell)


def test_pymatgen_does_not_search_large_cells_that_nearly_repeat(monkeypatch):
    """Two sites may be twice as far from each other's translation as from the mean of all sites."""

    def search(*_: object) -> None:
        raise RuntimeError("searched")

    cell = Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]).make_supercell(3)
    steps = np.random.default_rng(1).normal(scale=0.03, size=(len(cell), 3))
    cell = Structure(cell.lattice, cell.species, cell.cart_coords + steps, coords_are_cartesian=True)
    monkeypatch.setattr(twin_cells.Structure, "get_primitive_structure", search)
    assert reduced_cell(Candidate("m", json.dumps(cell.as_dict()))).n_sites == 216
