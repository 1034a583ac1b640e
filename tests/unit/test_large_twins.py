"""Twins among many and large cells: uncompared cells join no others, and a quick look misses no twin."""

import json

import numpy as np
import pytest
from handmade import cesium_chloride, rock_salt, structures
from pymatgen.core import Lattice, Structure

from polyfacet.materials import twin_cells, twins
from polyfacet.materials.matching import WITHIN, match, tolerances
from polyfacet.materials.neighbourhoods import neighbourhoods
from polyfacet.materials.quick_look import Effort, may_match
from polyfacet.materials.twin_cells import PRIMITIVE_WITHIN_A, Candidate, may_repeat, reduced_cell
from polyfacet.materials.twins import twin_groups

DIAMOND = Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]])
GRAPHITIC = Structure(Lattice.hexagonal(3.9, 5.3), ["Si", "Si"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]])


def candidate(mat_id: str, cell: Structure) -> Candidate:
    return Candidate(mat_id, json.dumps(cell.as_dict()))


def snapshot(cell: Structure, size: float, seed: int) -> Structure:
    """Displace the atoms at random, as thermal motion does."""
    displaced = np.random.default_rng(seed).normal(scale=size, size=(len(cell), 3))
    coords = cell.cart_coords + displaced
    return Structure(cell.lattice, cell.species_and_occu, coords, coords_are_cartesian=True)


def in_another_setting(cell: Structure, rng: np.random.Generator, noise: float, strain: float) -> Structure:
    """Rotate, permute, shift, strain and displace a crystal."""
    order = rng.permutation(len(cell))
    deformation = np.eye(3) + rng.uniform(-strain, strain, size=(3, 3))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix = cell.lattice.matrix @ deformation @ rotation
    moved = Structure(matrix, [cell[i].species for i in order], cell.frac_coords[order] + rng.uniform(size=3))
    directions = rng.normal(size=(len(cell), 3))
    lengths = noise * rng.uniform(size=(len(cell), 1)) ** (1 / 3)
    steps = directions / np.linalg.norm(directions, axis=1, keepdims=True) * lengths
    shape = np.array([[1, 0, 0], [1, 1, 0], [0, rng.integers(-1, 2), 1]])
    moved = Structure(matrix, moved.species_and_occu, moved.cart_coords + steps, coords_are_cartesian=True)
    return moved.make_supercell(shape)


def test_a_large_cell_does_not_join_small_ones_that_differ():
    """Thirty polymorphs and a cell of 512 sites, as reported by a user."""
    small = {
        f"m{i:02d}": cell.copy().apply_strain(0.12 * i)
        for i, cell in enumerate([DIAMOND, GRAPHITIC] * 15)
        if i < 8
    }
    large = snapshot(DIAMOND.copy().make_supercell(4), 0.15, seed=0)
    cells = small | {"large": large}
    assert twin_groups([candidate(*item) for item in cells.items()]) == ([], set())


def test_a_large_multiple_of_a_small_cell_is_its_twin():
    for noise in (0, 0.005):
        large = snapshot(DIAMOND.copy().make_supercell(4), noise, seed=0)
        cells = {"small": DIAMOND, "large": large, "other": GRAPHITIC}
        assert twin_groups([candidate(*item) for item in cells.items()]) == ([{"small", "large"}], set())


def test_snapshots_of_large_cells_are_not_twins():
    cells = {f"m{i}": snapshot(DIAMOND.copy().make_supercell(4), 0.05, seed=i) for i in range(3)}
    assert twin_groups([candidate(*item) for item in (cells | {"small": DIAMOND}).items()]) == ([], set())


def test_indistinguishable_large_cells_are_uncompared_twins():
    cell = snapshot(DIAMOND.copy().make_supercell(4), 0.15, seed=1)
    cells = {
        "a": cell,
        "b": in_another_setting(cell, np.random.default_rng(0), 0.02, 0.0),
        "c": snapshot(DIAMOND.copy().make_supercell(4), 0.15, seed=2),
        "small": DIAMOND,
    }
    assert twin_groups([candidate(*item) for item in cells.items()]) == ([{"a", "b"}], {"a", "b"})


def test_a_cell_without_a_primitive_cell_joins_only_the_closest_in_volume(monkeypatch):
    def fail(crystal: Structure, _: float) -> None:
        if len(crystal) == 16:
            raise ValueError("no cell")

    monkeypatch.setattr(twin_cells, "may_have_smaller_cell", fail)
    cells = {
        "a": rock_salt("Zn", "S", 5.0),
        "b": cesium_chloride("Zn", "S", 3.2),
        "c": rock_salt("Zn", "S", 5.7),
        "odd": rock_salt("Zn", "S", 5.01).make_supercell(2),
    }
    for order in (list(cells), list(cells)[::-1]):
        materials = [candidate(mat_id, cells[mat_id]) for mat_id in order]
        assert twin_groups(materials) == ([{"a", "odd"}], {"odd"})


def test_a_pair_that_cannot_be_compared_joins_no_others(monkeypatch):
    """The matcher fails for `b`; `a` and `c` differ."""
    cells = {"a": rock_salt("Zn", "S", 5.0), "b": rock_salt("Zn", "S", 5.2), "c": rock_salt("Zn", "S", 5.4)}
    volumes = {name: cell.volume for name, cell in cells.items()}

    def fail(first: Structure, second: Structure) -> bool:
        if any(abs(cell.volume - volumes["b"]) < 1e-6 for cell in (first, second)):
            raise ValueError("no match")
        return False

    monkeypatch.setattr(twins, "match", fail)
    groups, uncertain = twin_groups([candidate(*item) for item in cells.items()])
    assert len(groups) == 1
    assert "b" in groups[0]
    assert len(groups[0]) == 2
    assert uncertain == {"a", "b", "c"}


CRYSTALS = {
    **dict(list(structures().items())[::4]),
    "diamond": DIAMOND,
    "snapshot": snapshot(DIAMOND.copy().make_supercell(2), 0.12, seed=3),
    "slab": Structure(
        Lattice.orthorhombic(3.2, 4.1, 22), ["Zn", "S", "O"], [[0, 0, 0], [0.5, 0.4, 0.1], [0.1, 0, 0.15]]
    ),
    "disordered": Structure(
        Lattice.orthorhombic(4.1, 4.3, 5.2),
        [{"Fe": 0.4, "Co": 0.6}, "O", "O"],
        [[0, 0, 0], [0.5, 0.1, 0.4], [0.2, 0.5, 0]],
    ),
}


@pytest.mark.parametrize("name", CRYSTALS)
def test_a_quick_look_misses_no_match(name):
    """The quick look accepts whatever StructureMatcher joins, up to its tolerances."""
    rng = np.random.default_rng(len(name))
    crystal = CRYSTALS[name].get_reduced_structure("niggli")
    edge = WITHIN.site * (crystal.volume / len(crystal)) ** (1 / 3)
    n_matches = 0
    for i in range(24):
        other = in_another_setting(crystal, rng, (i % 6) / 4 * edge, (i % 4) / 150)
        other = other.get_reduced_structure("niggli")
        if match(crystal, other):
            n_matches += 1
            assert may_match(neighbourhoods(crystal), neighbourhoods(other), tolerances(crystal, other))
    assert n_matches >= 6


def random_crystal(rng: np.random.Generator) -> Structure:
    """Place two elements on a distorted lattice of 24 sites, without symmetry."""
    places = np.stack(np.meshgrid(range(4), range(3), range(2), indexing="ij"), axis=-1).reshape(-1, 3)
    coords = (places + rng.uniform(-0.15, 0.15, size=(24, 3))) / (4, 3, 2)
    lattice = Lattice.from_parameters(10, 7.7, 5.2, *rng.uniform(80, 100, size=3))
    return Structure(lattice, ["Mg", "O"] * 12, coords)


@pytest.mark.parametrize("seed", range(6))
def test_pairs_that_pymatgen_joins_are_joined(seed):
    """Copies in other settings and multiples, displaced and strained up to the tolerances and beyond."""
    rng = np.random.default_rng(seed)
    crystal = random_crystal(rng)
    edge = WITHIN.site * (crystal.volume / len(crystal)) ** (1 / 3)
    wanted, found = [], []
    for noise in np.linspace(0, 2.4, 7) * edge:
        other = in_another_setting(crystal, rng, noise, rng.choice([0, 0.01]))
        other.make_supercell([1, 1, rng.integers(1, 3)])
        reduced = [
            cell.get_primitive_structure(PRIMITIVE_WITHIN_A).get_reduced_structure("niggli")
            for cell in (crystal, other)
        ]
        wanted.append(match(*reduced))
        groups, uncertain = twin_groups([candidate("a", crystal), candidate("b", other)])
        found.append(groups == [{"a", "b"}])
        assert not uncertain
    assert found == wanted
    assert 0 < sum(wanted) < len(wanted)


def test_a_quick_look_distinguishes_snapshots(monkeypatch):
    """At room and low temperature, also if each atom has one nearby in the other snapshot."""

    def fail(*_: Structure) -> bool:
        raise AssertionError("compared")

    monkeypatch.setattr(twins, "match", fail)
    cell = DIAMOND.copy().make_supercell(2)
    for size in (0.04, 0.06, 0.15):
        materials = [candidate(f"m{i}", snapshot(cell, size, seed=i)) for i in range(6)]
        assert twin_groups(materials) == ([], set())


def test_twins_among_very_many_cells_of_one_volume_are_found(monkeypatch):
    """The identifiers carry no information, and all volumes are those of one simulation."""
    monkeypatch.setattr(twins, "MAX_COMPARED", 2)
    cell = DIAMOND.copy().make_supercell(2)
    snapshots = {f"m{i:02d}": snapshot(cell, 0.1, seed=i) for i in range(12)}
    copies = {f"z{mat_id}": snapshot(moved, 1e-3, seed=0) for mat_id, moved in snapshots.items()}
    groups, _ = twin_groups([candidate(*item) for item in (snapshots | copies).items()])
    assert sorted(map(sorted, groups)) == [[mat_id, f"z{mat_id}"] for mat_id in snapshots]


def barely_alike(seed: int) -> Structure:
    """Displace atoms by about the tolerance: each has one nearby in the other cells, but no cells match."""
    cell = DIAMOND.copy().make_supercell(2)
    steps = np.random.default_rng(seed).normal(size=(len(cell), 3))
    coords = cell.cart_coords + 0.08 * steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return Structure(cell.lattice, cell.species_and_occu, coords, coords_are_cartesian=True)


def test_the_work_on_large_cells_of_one_formula_is_limited(monkeypatch, caplog):
    """Beyond the limit, cells are not joined in large groups; copies are compared first, and found."""
    compared = []

    def counted(*cells: Structure) -> bool:
        compared.append(match(*cells))
        return compared[-1]

    monkeypatch.setattr(twins, "match", counted)
    monkeypatch.setattr(twins, "may_match", lambda *_: True)
    crystals = {f"m{i}": barely_alike(i) for i in range(6)}
    crystals["zm2"] = in_another_setting(crystals["m2"], np.random.default_rng(0), 1e-3, 0.0)
    materials = [candidate(*item) for item in crystals.items()]
    assert twin_groups(materials) == ([{"m2", "zm2"}], set())
    n_differences = compared.count(False)
    compared.clear()
    monkeypatch.setattr(twins, "MAX_WORK", 2.5 * 0.64**3)
    groups, uncertain = twin_groups(materials)
    assert compared.count(False) == 3 < n_differences
    assert any(group >= {"m2", "zm2"} for group in groups)
    # Each of the two may have one more that it was not compared with.
    assert max(map(len, groups)) <= 4
    assert uncertain >= set().union(*groups) - {"m2", "zm2"}
    (told,) = {record.getMessage() for record in caplog.records}
    assert "pairs of large cells were not compared" in told
    assert any(f"{a} and {b}" in told for a in uncertain for b in uncertain)
    assert (groups, uncertain) == twin_groups(materials[::-1])


def test_with_no_effort_left_a_quick_look_rules_out_less():
    """One atom is displaced by more than the matcher allows, but less than twice that."""
    crystal = random_crystal(np.random.default_rng(0)).get_reduced_structure("niggli")
    step = 1.5 * WITHIN.site * (crystal.volume / len(crystal)) ** (1 / 3)
    moved = crystal.copy().translate_sites([3], [step, 0, 0], frac_coords=False)
    first, second = neighbourhoods(crystal), neighbourhoods(moved)
    effort = Effort(1)
    assert not match(crystal, moved)
    assert not may_match(first, second, WITHIN, effort)
    assert effort.n_sites_left < 1
    assert may_match(first, second, WITHIN, effort)
    effort = Effort(n_neighbours_left=1)
    assert not may_match(first, second, WITHIN, effort)
    assert may_match(first, second, WITHIN, effort)


def test_a_quick_look_detects_exchanged_elements():
    cell = rock_salt("Na", "Cl", 5.64).make_supercell(3)
    other = cell.copy()
    other[0], other[-1] = "Cl", "Na"
    assert may_match(neighbourhoods(cell), neighbourhoods(cell), WITHIN)
    assert not may_match(neighbourhoods(cell), neighbourhoods(other), WITHIN)


@pytest.mark.parametrize(
    "multiple", [[1, 1, 1], [2, 1, 1], [3, 1, 1], [2, 3, 1], [[1, 1, 0], [-1, 1, 0], [0, 0, 2]]]
)
@pytest.mark.parametrize("noise", [0, 0.01])
def test_multiples_are_found_and_primitive_cells_are_skipped(multiple, noise):
    crystal = CRYSTALS["slab"].copy().make_supercell(multiple)
    noisy = snapshot(crystal, noise, seed=4)
    assert may_repeat(noisy, 0.1) == (len(crystal) > 3)
    cell = reduced_cell(candidate("m", noisy))
    assert cell.n_sites == 3


def test_the_progress_of_many_is_shown(capfd):
    cells = {f"m{i:02d}": rock_salt("Na", "Cl", 5.0 * 1.1 ** (i % 3) + 1e-4 * i) for i in range(60)}
    groups, _ = twin_groups([candidate(*item) for item in cells.items()], "twins of NaCl")
    assert len(groups) == 3
    said = capfd.readouterr().err
    assert "twins of NaCl, cells: 100% 60/60" in said
    assert "twins of NaCl, pairs: 100%" in said
