import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from textbook_crystals import (
    SAME_CELL,
    all_crystals,
    caesium_chloride,
    copper,
    other_order,
    rocksalt,
    supercell,
    triclinic,
    zinc_blende,
)
from torch.utils._python_dispatch import TorchDispatchMode

from polyfacet.facets.graph import lattice_sums as module
from polyfacet.facets.graph.ewald_terms import DOUBLE, SINGLE
from polyfacet.facets.graph.lattice_sums import lattice_sums, lattice_sums_of, summed_potential
from polyfacet.materials.crystal import Crystal

COULOMB, LONDON, PAULI = range(3)
CRYSTALS = all_crystals()
DECAYS = ("paper", "coded")


def error_of_column_maximum(sums, reference) -> float:
    sums, reference = (np.asarray(values).reshape(-1, 3) for values in (sums, reference))
    return float((np.abs(sums - reference).max(axis=0) / np.abs(reference).max(axis=0)).max())


@pytest.mark.parametrize(
    ("crystal", "nearest", "madelung"),
    [
        (rocksalt(), 5.64 / 2, 1.7475645946331822),
        (caesium_chloride(), 4.12 * math.sqrt(3) / 2, 1.7626747730709884),
        (zinc_blende(), 5.41 * math.sqrt(3) / 4, 1.6380550533887894),
    ],
)
def test_madelung_constants(crystal, nearest, madelung):
    coulomb = lattice_sums(crystal, "coded")[..., COULOMB].numpy()
    assert (coulomb[0, 1] - coulomb[0, 0]) * nearest == pytest.approx(madelung, rel=1e-12)


def test_london_sum_of_fcc():
    # Sum over the fcc lattice of (d/r)^6, d the nearest distance (Jones and Ingham 1925).
    london = float(lattice_sums(copper(), "coded")[0, 0, LONDON])
    assert london * (3.61 / math.sqrt(2)) ** 6 == pytest.approx(14.45392104, rel=1e-9)


def image_distances(crystal: Crystal, vector: np.ndarray, radius: float) -> np.ndarray:
    counts = np.ceil(radius * np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)).astype(int) + 1
    images = np.array(list(itertools.product(*(range(-n, n + 1) for n in counts)))) @ crystal.lattice
    distances = np.linalg.norm(vector + images, axis=1)
    return distances[distances <= radius]


@pytest.mark.parametrize("pauli", DECAYS)
@pytest.mark.parametrize("name", ["rocksalt", "triclinic", "slab", "chain"])
def test_pauli_against_the_direct_sum(name, pauli):
    crystal = CRYSTALS[name]
    length = crystal.volume ** (1 / 3)
    decay = 3.0 if pauli == "paper" else 3.0 / math.sqrt(length)
    sums = lattice_sums(crystal, pauli)[..., PAULI]
    for i, j in [(0, 0), (0, len(crystal) - 1), (len(crystal) - 1, 0)]:
        vector = crystal.cart_coords[i] - crystal.cart_coords[j]
        direct = np.exp(-decay * image_distances(crystal, vector, 33 / decay)).sum()
        assert float(sums[i, j]) == pytest.approx(direct, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("name", ["rocksalt", "triclinic"])
def test_london_against_the_direct_sum(name):
    crystal = CRYSTALS[name]
    sums = lattice_sums(crystal, "paper")[..., LONDON]
    radius = 60.0
    tail = 4 * math.pi / (3 * crystal.volume * radius**3)
    for i, j in itertools.product(range(len(crystal)), repeat=2):
        distances = image_distances(crystal, crystal.cart_coords[i] - crystal.cart_coords[j], radius)
        direct = (distances[distances > 1e-8] ** -6.0).sum() + tail
        assert float(sums[i, j]) == pytest.approx(direct, rel=1e-6)


@pytest.mark.parametrize("pauli", DECAYS)
@pytest.mark.parametrize("name", CRYSTALS)
def test_result_does_not_depend_on_the_split(name, pauli):
    crystal = CRYSTALS[name]
    reference = lattice_sums(crystal, pauli, precision=replace(DOUBLE, split=math.pi))
    for split in (math.pi / 2, 2 * math.pi, 4 * math.pi):
        sums = lattice_sums(crystal, pauli, precision=replace(DOUBLE, split=split))
        assert error_of_column_maximum(sums, reference) < 1e-12


@pytest.mark.parametrize("change", SAME_CELL)
@pytest.mark.parametrize("name", CRYSTALS)
def test_sums_do_not_depend_on_the_description_of_the_crystal(name, change):
    crystal = CRYSTALS[name]
    changed, reference = lattice_sums(change(crystal), "coded"), lattice_sums(crystal, "coded")
    if change is other_order:
        order = np.random.default_rng(1).permutation(len(crystal))
        reference = reference[np.ix_(order, order)]
    assert error_of_column_maximum(changed, reference) < 1e-11


def test_supercell_sums_add_up_to_those_of_the_cell():
    small, big = (lattice_sums(crystal, "paper") for crystal in (triclinic(), supercell(triclinic())))
    # An atom with all six copies of another one; the contributions of the background add up as well.
    np.testing.assert_allclose(big[0].sum(dim=0), small[0].sum(dim=0), rtol=1e-10, atol=1e-12)


def test_sums_are_symmetric_and_equal_for_all_self_pairs():
    sums = lattice_sums(triclinic(), "coded")
    torch.testing.assert_close(sums, sums.transpose(0, 1), rtol=0, atol=1e-15)
    diagonal = sums.diagonal().T
    torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=1e-13, atol=0)
    assert float(diagonal[0, PAULI]) > 1


@pytest.mark.parametrize("chunk", [97, 5000, 10**9])
def test_result_does_not_depend_on_batch_or_chunk_to_the_last_bit(monkeypatch, chunk):
    crystals = [*CRYSTALS.values(), supercell(triclinic()), copper(), supercell(copper())]
    reference = [lattice_sums(crystal, "coded") for crystal in crystals]
    monkeypatch.setitem(module.CHUNK, "cpu", chunk)
    for order in (slice(None), slice(None, None, -1), slice(None, None, 2)):
        together = lattice_sums_of(crystals[order], "coded")
        assert all(torch.equal(*pair) for pair in zip(together, reference[order], strict=True))


class LargestTensor(TorchDispatchMode):
    """Records the size of the largest tensor that an operation creates."""

    def __init__(self):
        super().__init__()
        self.n_numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(tensor, torch.Tensor):
                self.n_numbers = max(self.n_numbers, tensor.untyped_storage().nbytes() // 8)
        return made


def test_memory_of_many_and_of_large_cells_is_bounded():
    atoms = np.random.default_rng(0).permutation(6**3)[:200]
    coords = 2.5 * np.array(list(itertools.product(range(6), repeat=3)))[atoms]
    large = Crystal(np.eye(3) * 15.0, coords, np.full(200, 14))
    for crystals in ([large], [large] * 3, [triclinic()] * 300):
        with LargestTensor() as largest:
            sums = lattice_sums_of(crystals, "coded")
        assert [len(s) for s in sums] == [len(crystal) for crystal in crystals]
        assert module.CHUNK["cpu"] / 10 < largest.n_numbers < 4 * module.CHUNK["cpu"]


@pytest.mark.parametrize("pauli", DECAYS)
def test_single_precision_is_accurate_to_one_millionth(pauli):
    for name, crystal in CRYSTALS.items():
        sums = lattice_sums(crystal, pauli, precision=SINGLE)
        assert sums.dtype == torch.float64
        assert error_of_column_maximum(sums, lattice_sums(crystal, pauli)) < 1e-6, name


@pytest.mark.parametrize("size", [2.0, 30.0, 1000.0])
def test_cells_of_all_sizes_give_finite_sums(size):
    crystal = Crystal(np.eye(3) * size, np.zeros((1, 3)), np.array([1]))
    for pauli in DECAYS:
        sums = lattice_sums(crystal, pauli)[0, 0]
        assert torch.isfinite(sums).all()
        # Madelung constant of a simple cubic lattice of charges in a neutralising background.
        assert float(sums[COULOMB]) * size == pytest.approx(-2.837297479480619, rel=1e-12)


def test_summed_potential_weights_the_terms():
    assert float(summed_potential(torch.tensor([1.0, 0, 0], dtype=torch.float64))) == -0.801
    assert float(summed_potential(torch.ones(3, dtype=torch.float64))) == pytest.approx(-0.73)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("precision", "tolerance"), [(DOUBLE, 1e-12), (SINGLE, 1e-6)])
def test_gpu_agrees(precision, tolerance):
    crystals = list(CRYSTALS.values()) * 2
    on_gpu = lattice_sums_of(crystals, "coded", precision=precision, device="cuda")
    for crystal, sums in zip(crystals, on_gpu, strict=True):
        assert error_of_column_maximum(sums.cpu(), lattice_sums(crystal, "coded")) < tolerance


def test_reference_crystals(shared):
    files = sorted((shared / "reference" / "potnet").glob("*.npz"))
    assert len(files) == 18
    for file in files:
        reference = np.load(file)
        crystal = Crystal(reference["lattice"], reference["cart_coords"], reference["atomic_numbers"])
        for pauli in DECAYS:
            sums = lattice_sums(crystal, pauli)
            error = error_of_column_maximum(sums, reference[f"inf_attr_converged_{pauli}"])
            assert error < 1e-10, f"{file.stem}, {pauli}"
