"""Complete interatomic potentials: Coulomb, London and Pauli terms summed over the infinite crystal.

Many crystals are summed at once: those with equally many atoms form dense tensors, in which the lists of
lattice points, which differ between crystals, are padded.  On the CPU every number is computed by the same
operations whichever crystals share its batch, so that a result is independent of the batch to the last bit.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np
import torch

from polyfacet.config.graphs import PauliDecay
from polyfacet.facets.graph.ewald_terms import (
    DOUBLE,
    Precision,
    constants,
    cutoffs,
    real_terms,
    reciprocal_terms,
    self_terms,
)
from polyfacet.materials.crystal import Crystal

PAULI_ALPHA = 3.0
# Weights of the three terms in the summed potential (published settings of arXiv:2306.10045).
COEFFICIENTS = (-0.801, -0.074, 0.145)

# Numbers in one tensor, about ten of which are in memory at once: bounds the memory for many or large cells.
# Small enough for a CPU's cache, large enough to keep a GPU busy.
CHUNK = {"cpu": 1 << 18, "cuda": 1 << 24}


def lattice_sums(
    crystal: Crystal, pauli: PauliDecay, *, precision: Precision = DOUBLE, device: str = "cpu"
) -> torch.Tensor:
    """Return the lattice sums of one crystal; see `lattice_sums_of`."""
    return lattice_sums_of([crystal], pauli, precision=precision, device=device)[0]


def lattice_sums_of(
    crystals: Sequence[Crystal],
    pauli: PauliDecay,
    *,
    precision: Precision = DOUBLE,
    device: str = "cpu",
) -> list[torch.Tensor]:
    r"""Sum the three potentials between all pairs of atoms in each crystal over all lattice translations T.

    Parameters
    ----------
    crystals
        The crystals, of any size.
    pauli
        Decay of the Pauli term: ``paper`` is 3 per A, ``coded`` is ``3 / sqrt(V^(1/3))`` (V in A^3), which
        depends on the volume and was used for the published numbers.
    precision
        ``DOUBLE`` for errors up to 1e-10 of the largest value of a term, ``SINGLE`` for 1e-6.
    device
        Torch device to compute on.

    Returns
    -------
    list of torch.Tensor
        One tensor per crystal, shape ``(N, N, 3)``, float64; with v = r_i - r_j, the last axis is

        - Coulomb, sum of 1/\|v+T\| with a neutralising background, 1/A;
        - London, sum of 1/\|v+T\|^6, 1/A^6;
        - Pauli, sum of exp(-decay \|v+T\|), dimensionless.

        For an atom paired with itself (v = 0), the first two sums exclude T = 0; in the third, T = 0 adds 1.
    """
    chunk = CHUNK[torch.device(device).type]
    sums: dict[int, torch.Tensor] = {}
    for batch in _batches([len(crystal) for crystal in crystals], precision, chunk):
        found = _sums_of_batch([crystals[index] for index in batch], pauli, precision, device, chunk)
        sums.update(zip(batch, found, strict=True))
    return [sums[index] for index in range(len(crystals))]


def summed_potential(sums: torch.Tensor) -> torch.Tensor:
    """Combine the three lattice sums (last axis) into the potential that the network receives."""
    return sums @ sums.new_tensor(COEFFICIENTS)


def _batches(sizes: list[int], precision: Precision, chunk: int) -> Iterator[list[int]]:
    """Group crystals with equally many atoms, as many as the memory allows."""
    real_cutoff, _ = cutoffs(precision.split, precision.tolerance)
    images = 4 * math.pi / 3 * (real_cutoff + 1) ** 3
    columns = 8 * _block_of_points(precision)
    for n_atoms, group in groupby(sorted(range(len(sizes)), key=sizes.__getitem__), key=sizes.__getitem__):
        positions = list(group)
        n_pairs = n_atoms * (n_atoms - 1) // 2 + 1
        step = max(1, int(chunk / max(n_pairs * images, n_atoms * columns)))
        yield from (positions[start : start + step] for start in range(0, len(positions), step))


def _sums_of_batch(
    crystals: list[Crystal], pauli: PauliDecay, precision: Precision, device: str, chunk: int
) -> torch.Tensor:
    """Return the sums of crystals with equally many atoms; shape ``(B, N, N, 3)``."""

    def tensor(values: object) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=device)

    lengths = [crystal.volume ** (1 / 3) for crystal in crystals]
    decays = [PAULI_ALPHA * (length if pauli == "paper" else math.sqrt(length)) for length in lengths]
    scale = np.array(lengths)[:, None, None]
    lattice = tensor(np.stack([crystal.reduced_lattice for crystal in crystals]) / scale)
    coords = tensor(np.stack([crystal.cart_coords for crystal in crystals]) / scale)

    sums = _reciprocal_part(coords, lattice, tensor(decays), precision)
    sums += tensor([constants(precision.split, decay) for decay in decays])[:, None, None]
    # The sums are even in v and the same for v = 0 of any atom: half the pairs and one v = 0 suffice.
    first, second = torch.triu_indices(coords.shape[1], coords.shape[1], offset=1, device=device)
    vectors = torch.cat([torch.zeros_like(coords[:, :1]), coords[:, first] - coords[:, second]], dim=1)
    real = _real_part(vectors, lattice, tensor(decays), precision, chunk)
    sums[:, first, second] += real[:, 1:]
    sums[:, second, first] += real[:, 1:]
    own = real[:, 0] + tensor([self_terms(precision.split, decay) for decay in decays])
    sums.diagonal(dim1=1, dim2=2).add_(own[:, :, None])
    return sums / tensor([[length, length**6, 1.0] for length in lengths])[:, None, None]


@lru_cache(maxsize=512)
def _grid(*bounds: int) -> torch.Tensor:
    """Return integer triples up to a bound per axis, shape ``(K, 3)``; triple k is minus triple -1-k."""
    return torch.cartesian_prod(*(torch.arange(-bound, bound + 1, dtype=torch.int16) for bound in bounds))


def _lattice_points(
    basis: torch.Tensor, grids: list[torch.Tensor], radius: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the points of each lattice within its radius, ``(K, 3)``, and their lattices, ``(K,)``."""
    sizes = torch.tensor([len(grid) for grid in grids], device=basis.device)
    owner = torch.repeat_interleave(sizes)
    steps = torch.cat(grids).to(basis.device, basis.dtype)
    points = _combine(steps, basis[owner])
    within = _length(points) <= radius[owner]
    return points[within], owner[within]


def _combine(factors: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Multiply row vectors by 3 x 3 matrices in a fixed order of operations."""
    x, y, z = factors[..., None].unbind(-2)
    return x * rows[..., 0, :] + y * rows[..., 1, :] + z * rows[..., 2, :]


def _length(vectors: torch.Tensor) -> torch.Tensor:
    x, y, z = vectors.unbind(-1)
    return torch.sqrt(x * x + y * y + z * z)


def _padded(
    values: torch.Tensor, owner: torch.Tensor, n_owners: int, multiple: int, fill: float
) -> torch.Tensor:
    """Arrange rows ordered by owner in a padded tensor ``(n_owners, longest, ...)``."""
    counts = torch.bincount(owner, minlength=n_owners)
    place = torch.arange(len(owner), device=owner.device) - (counts.cumsum(0) - counts)[owner]
    width = -(-int(counts.max()) // multiple) * multiple
    padded = values.new_full((n_owners, width, *values.shape[1:]), fill)
    padded[owner, place] = values
    return padded


def _real_part(
    vectors: torch.Tensor, lattice: torch.Tensor, decay: torch.Tensor, precision: Precision, chunk: int
) -> torch.Tensor:
    """Return real-space sums without r = 0 for pair vectors of shape ``(B, P, 3)``; same shape."""
    cutoff, _ = cutoffs(precision.split, precision.tolerance)
    inverse = torch.linalg.inv(lattice)
    vectors = vectors - _combine(torch.round(_combine(vectors, inverse[:, None])), lattice[:, None])
    # A wrapped vector is at most half a cell away from the origin along each axis.
    bounds = torch.floor(cutoff * _length(inverse.transpose(1, 2)) + 0.5).int().tolist()
    reach = cutoff + _length(vectors).amax(dim=1)
    points, owner = _lattice_points(lattice, [_grid(*bound) for bound in bounds], reach)
    points = _padded(points, owner, len(lattice), 1, torch.inf)
    sums = [
        _sum_within(part, points, decay, cutoff, precision)
        for part in vectors.split(max(1, chunk // points[..., 0].numel()), dim=1)
    ]
    return torch.cat(sums, dim=1)


def _sum_within(
    vectors: torch.Tensor, points: torch.Tensor, decay: torch.Tensor, cutoff: float, precision: Precision
) -> torch.Tensor:
    distance = _length(vectors[:, :, None] + points[:, None])
    near = (distance <= cutoff) & (distance > 0)
    counts = near.sum(dim=2)
    decays = torch.repeat_interleave(decay, counts.sum(dim=1)).to(precision.dtype)
    terms = real_terms(distance[near].to(precision.dtype), precision.split, decays)
    sums = torch.segment_reduce(terms.double(), "sum", lengths=counts.flatten(), axis=0)
    return sums.reshape(vectors.shape)


def _block_of_points(precision: Precision) -> int:
    """Return the number of reciprocal points per block: as many as most crystals have.

    At unit density the number of points in a sphere is about its volume; only one of q and -q is used.
    """
    _, cutoff = cutoffs(precision.split, precision.tolerance)
    return math.ceil(1.05 * 2 * math.pi / 3 * cutoff**3)


def _reciprocal_part(
    coords: torch.Tensor, lattice: torch.Tensor, decay: torch.Tensor, precision: Precision
) -> torch.Tensor:
    """Return reciprocal-space sums over q != 0 for all pairs of positions; shape ``(B, N, N, 3)``.

    cos 2 pi q (r_i - r_j) factorises into cosines and sines of the individual positions, so that the sum over
    q becomes one matrix product per term.  Only one of q and -q, which contribute equally, is used.
    """
    _, cutoff = cutoffs(precision.split, precision.tolerance)
    reciprocal = torch.linalg.inv(lattice).transpose(1, 2)
    bounds = torch.floor(cutoff * _length(lattice)).int().tolist()
    grids = [grid[len(grid) // 2 + 1 :] for grid in (_grid(*bound) for bound in bounds)]
    points, owner = _lattice_points(reciprocal, grids, lattice.new_full((len(lattice),), cutoff))
    # The weights contain differences that need double precision, and there are few of them.
    weights = 2 * reciprocal_terms((points * points).sum(dim=-1), precision.split, decay[owner])
    weights = weights.to(precision.dtype)
    block = _block_of_points(precision)
    points, weights = (_padded(values, owner, len(lattice), block, 0.0) for values in (points, weights))
    counts = torch.bincount(owner, minlength=len(lattice))
    sums = coords.new_zeros(len(coords), 3, *coords.shape[1:2] * 2)
    for start in range(0, points.shape[1], block):
        (rows,) = torch.nonzero(counts > start, as_tuple=True)
        part = slice(start, start + block)
        sums[rows] += _sum_of_waves(coords[rows], points[rows, part], weights[rows, part])
    return sums.permute(0, 2, 3, 1).contiguous()


def _sum_of_waves(coords: torch.Tensor, points: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Sum weighted cosines of q (r_i - r_j) over a block of points q; shape ``(B, 3, N, N)``."""
    turns = coords @ points.transpose(1, 2)
    phases = (2 * math.pi * (turns - torch.round(turns))).to(weights.dtype)
    waves = torch.cat([torch.cos(phases), torch.sin(phases)], dim=2)
    weighted = weights.transpose(1, 2).repeat(1, 1, 2)[:, :, None] * waves[:, None]
    # A product with a single column would be rounded differently in a batch of one.
    n_atoms = coords.shape[1]
    others = waves if n_atoms > 1 else waves.expand(-1, 2, -1)
    product = weighted.flatten(1, 2) @ others.transpose(1, 2)
    return product[..., :n_atoms].reshape(len(coords), 3, n_atoms, n_atoms).double()
