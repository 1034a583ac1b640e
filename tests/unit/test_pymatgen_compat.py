"""Bonds and neighbours are the same as those of unmodified pymatgen."""

import gzip
import re
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from pymatgen.analysis.graphs import StructureGraph
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.core import Lattice, Structure

from polyfacet.facets.image.bonding import OrderedStructureGraph
from polyfacet.facets.image.pymatgen_compat import SiteCrystalNN

N_REAL = 40


def real_crystals(path: Path) -> Iterator[Structure]:
    with gzip.open(path, "rt") as file:
        for line in file:
            lattice = re.search('Lattice="([^"]+)"', next(file))[1].split()
            sites = [next(file).split() for _ in range(int(line))]
            matrix = np.array(lattice, dtype=float).reshape(3, 3)
            coords = np.array([site[1:4] for site in sites], dtype=float)
            yield Structure(Lattice(matrix), [site[0] for site in sites], coords, coords_are_cartesian=True)


def bonds(kind: type[StructureGraph], structure: Structure, strategy: CrystalNN) -> StructureGraph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind.from_local_env_strategy(structure, strategy)


def check_same(structure: Structure) -> None:
    expected = bonds(StructureGraph, structure, CrystalNN())
    graph = bonds(OrderedStructureGraph, structure, SiteCrystalNN())
    assert list(graph.graph.edges(data=True, keys=True)) == list(expected.graph.edges(data=True, keys=True))
    for n in range(len(structure)):
        for jimage in ((0, 0, 0), (1, -2, 0)):
            ours = {(s.index, s.jimage): s for s in graph.get_connected_sites(n, jimage)}
            theirs = {(s.index, s.jimage): s for s in expected.get_connected_sites(n, jimage)}
            assert ours.keys() == theirs.keys()
            for key, site in ours.items():
                assert site.dist == theirs[key].dist
                assert site.weight == theirs[key].weight
                assert site.site == theirs[key].site
                assert (site.site.coords == theirs[key].site.coords).all()
                assert site.site.species == theirs[key].site.species


@pytest.mark.parametrize(
    "structure",
    [
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        Structure(Lattice.cubic(2.87), ["Fe"], [[0, 0, 0]]),
        Structure(Lattice.hexagonal(17, 3.5), ["Co", "O"], [[0.45, 0.5, 0.2], [0.55, 0.5, 0.7]]),
    ],
    ids=["rock salt", "one site", "chain in vacuum"],
)
def test_bonds_are_those_of_crystal_nn(structure):
    check_same(structure)


def test_bonds_of_real_crystals_are_those_of_crystal_nn(shared):
    path = shared / "data" / "alexandria_3d" / "alexandria_3d_random1k.extxyz.gz"
    for structure in islice(real_crystals(path), N_REAL):
        check_same(structure)
