"""Odd variants of small valid crystals: any structure that an entry may have, plausible or not."""

import random
from collections.abc import Callable

import numpy as np
from pymatgen.core import Lattice, Structure

# The first and last elements of tables, gases, and elements that CrystalNN and tables of radii lack.
ELEMENTS = ["H", "D", "He", "Fe", "Xe", "La", "Po", "Pu", "Cf", "Fm", "Lr", "Og"]
SHEARS = [-100, -3, -1, 0.5, 1, 3, 100]
STEPS = [1e-12, 1e-6, 9e-4, 2e-3, 0.01, 1 / 3, 0.5, 1, -7, 900]
SHARES = [1e-7, 1e-4, 0.25, 0.333, 0.5, 0.9, 0.9995]
MAX_SITES = 64


def odd_crystal(structure: Structure, rng: random.Random, times: int) -> Structure:
    """Change a copy of a structure in a few random ways."""
    structure = structure.copy()
    for _ in range(times):
        structure = rng.choice(_CHANGES)(structure, rng)
    return structure


def _with_lattice(structure: Structure, matrix: np.ndarray) -> Structure:
    return Structure(Lattice(matrix), structure.species_and_occu, structure.frac_coords)


def _stretched(structure: Structure, rng: random.Random) -> Structure:
    factors = [10 ** rng.uniform(-0.7, 2) if rng.random() < 0.5 else 1.0 for _ in range(3)]
    return _with_lattice(structure, structure.lattice.matrix * np.array(factors)[:, None])


def _sheared(structure: Structure, rng: random.Random) -> Structure:
    matrix = structure.lattice.matrix.copy()
    first, second = rng.sample(range(3), 2)
    matrix[first] += rng.choice(SHEARS) * matrix[second]
    return _with_lattice(structure, matrix)


def _mirrored(structure: Structure, rng: random.Random) -> Structure:
    return _with_lattice(structure, -structure.lattice.matrix)


def _repeated(structure: Structure, rng: random.Random) -> Structure:
    times = [rng.choice((1, 1, 2, 3)) for _ in range(3)]
    return structure if len(structure) * np.prod(times) > MAX_SITES else structure.make_supercell(times)


def _moved(structure: Structure, rng: random.Random) -> Structure:
    step = [rng.choice(STEPS) * rng.choice((0, 1)) for _ in range(3)]
    structure.translate_sites([rng.randrange(len(structure))], step, to_unit_cell=False)
    return structure


def _doubled(structure: Structure, rng: random.Random) -> Structure:
    site = rng.choice(structure.sites)
    step = np.array([rng.choice(STEPS) for _ in range(3)]) * rng.choice((0.1, 1))
    structure.append(site.species, site.frac_coords + step, validate_proximity=False)
    return structure


def _replaced(structure: Structure, rng: random.Random) -> Structure:
    structure[rng.randrange(len(structure))] = rng.choice(ELEMENTS)
    return structure


def _shared(structure: Structure, rng: random.Random) -> Structure:
    share = rng.choice(SHARES)
    other = rng.choice(ELEMENTS)
    occupants = {"Zr": share, other: 1 - share} if rng.random() < 0.7 else {other: share}
    structure[rng.randrange(len(structure))] = occupants
    return structure


def _thinned(structure: Structure, rng: random.Random) -> Structure:
    if len(structure) > 1:
        structure.remove_sites([rng.randrange(len(structure))])
    return structure


_CHANGES: list[Callable[[Structure, random.Random], Structure]] = [
    _stretched,
    _stretched,
    _sheared,
    _mirrored,
    _repeated,
    _moved,
    _doubled,
    _replaced,
    _shared,
    _thinned,
]
