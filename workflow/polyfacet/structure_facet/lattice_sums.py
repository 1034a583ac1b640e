"""Complete interatomic potentials: Coulomb, London and Pauli terms summed over the whole crystal.

Each sum over all lattice translations is split, after Ewald, into one that converges fast in real space and
one that converges fast in reciprocal space (arXiv:2306.10045).  For these three terms both parts are closed
forms of exp, erfc and erfcx.  Inside this module all lengths are in units of V^(1/3), so that one split
parameter suits all cells.
"""

import math
from functools import cache
from typing import Literal

import torch
from torch.special import erfc, erfcx

from polyfacet.structure_facet.crystal import Crystal

PauliDecay = Literal["paper", "coded"]
PAULI_ALPHA = 3.0
TERMS = ("coulomb", "london", "pauli")
# Weights of the three terms in the summed potential (arXiv:2306.10045, the published settings).
COEFFICIENTS = (-0.801, -0.074, 0.145)

# Both parts converge alike at pi; a larger value moves work from the real-space part (special functions per
# pair) to the reciprocal one (matrix products).
SPLIT = 4 * math.pi
TOLERANCE = 1e-12
# Distances held at once (8 B each, about ten arrays of them): bounds the memory of large cells.
CHUNK = 1 << 19


def lattice_sums(
    crystal: Crystal,
    pauli: PauliDecay,
    *,
    split: float = SPLIT,
    tolerance: float = TOLERANCE,
    device: str = "cpu",
) -> torch.Tensor:
    r"""Sum the three potentials between all pairs of atoms over all lattice translations T.

    Parameters
    ----------
    crystal
        The crystal.
    pauli
        Decay of the Pauli term: ``paper`` is 3 per A, ``coded`` is ``3 / sqrt(V^(1/3))`` (V in A^3), which
        depends on the volume and is what the published numbers were made with.
    split
        Ewald's split parameter; the result does not depend on it.
    tolerance
        Bound of what the cutoffs leave out, in reduced units (V = 1).
    device
        Torch device to compute on.

    Returns
    -------
    torch.Tensor
        Shape ``(N, N, 3)``, float64; with v = r_i - r_j, the last axis is

        - Coulomb, sum of 1/\|v+T\| with a neutralising background, 1/A;
        - London, sum of 1/\|v+T\|^6, 1/A^6;
        - Pauli, sum of exp(-decay \|v+T\|), dimensionless.

        An atom paired with itself (v = 0) leaves T = 0 out of the first two; in the third it counts 1.
    """
    length = crystal.volume ** (1 / 3)
    decay = PAULI_ALPHA * (length if pauli == "paper" else math.sqrt(length))
    lattice = torch.as_tensor(crystal.reduced_lattice / length, dtype=torch.float64, device=device)
    coords = torch.as_tensor(crystal.cart_coords / length, dtype=torch.float64, device=device)
    real_cutoff, reciprocal_cutoff = cutoffs(split, tolerance)

    sums = _reciprocal_part(coords, lattice, split, decay, reciprocal_cutoff)
    sums += _constants(split, decay).to(device)
    # The sums are even in v, and all atoms see their own images alike: half the pairs and one v = 0 suffice.
    first, second = torch.triu_indices(len(coords), len(coords), offset=1, device=device)
    vectors = torch.cat([coords.new_zeros(1, 3), coords[first] - coords[second]])
    real = _real_part(vectors, lattice, split, decay, real_cutoff)
    sums[first, second] += real[1:]
    sums[second, first] += real[1:]
    sums.diagonal().add_((real[0] + _self_terms(split, decay).to(device))[:, None])
    return sums / sums.new_tensor([length, length**6, 1.0])


def summed_potential(sums: torch.Tensor) -> torch.Tensor:
    """Weigh the three lattice sums (last axis) into the one potential that the network sees."""
    return sums @ sums.new_tensor(COEFFICIENTS)


def real_terms(distance: torch.Tensor, split: float, decay: float) -> torch.Tensor:
    """Real-space summands at distances r > 0; shape ``(..., 3)``."""
    b = decay / (2 * math.sqrt(split))
    x = split * distance**2
    root = torch.sqrt(x)
    gauss = torch.exp(-x)
    # erfc and erfcx each where they neither overflow nor cancel, for every decay.
    inner = torch.exp(-decay * distance) * erfc(root - b)
    outer = math.exp(-(b**2)) * gauss * erfcx(root + b)
    return torch.stack(
        [erfc(root) / distance, gauss * (1 + x + x**2 / 2) / distance**6, (inner - outer) / 2], dim=-1
    )


def reciprocal_terms(q_squared: torch.Tensor, split: float, decay: float) -> torch.Tensor:
    """Reciprocal-space weights at q^2 > 0; shape ``(..., 3)``."""
    y = math.pi**2 * q_squared / split
    gauss = torch.exp(-y)
    root = torch.sqrt(y)
    # Upper incomplete gamma functions of order -1/2 and -3/2.
    gamma_1 = 2 * gauss * (1 / root - math.sqrt(math.pi) * erfcx(root))
    gamma_3 = (gauss / root**3 - gamma_1) * 2 / 3
    london = (math.pi * split) ** 1.5 * root**3 * gamma_3 / 2
    return torch.stack([gauss / (math.pi * q_squared), london, _pauli_weight(y, split, decay)], dim=-1)


def _pauli_weight(y: torch.Tensor, split: float, decay: float) -> torch.Tensor:
    z = y + decay**2 / (4 * split)
    return decay * math.pi / 2 * (1 + z) * torch.exp(-z) / (split * z) ** 2


def _constants(split: float, decay: float) -> torch.Tensor:
    """Contributions of q = 0 (for the Coulomb term: of the neutralising background)."""
    zero = torch.zeros((), dtype=torch.float64)
    london = (math.pi * split) ** 1.5 / 3
    return torch.tensor([-math.pi / split, london, _pauli_weight(zero, split, decay)], dtype=torch.float64)


def _self_terms(split: float, decay: float) -> torch.Tensor:
    """Give what stands in the place of the real-space summand at r = 0."""
    b = decay / (2 * math.sqrt(split))
    return torch.tensor([-2 * math.sqrt(split / math.pi), -(split**3) / 6, math.erf(b)], dtype=torch.float64)


@cache
def cutoffs(split: float, tolerance: float) -> tuple[float, float]:
    """Choose radii in real and reciprocal space beyond which the sums stay below the tolerance.

    At unit density the summands f beyond R add up to less than about 4 pi R^3 f(R).  The Pauli terms are
    bounded for every decay: in real space by exp(-split r^2), in reciprocal space by their largest prefactor.
    """
    radius = torch.linspace(0.05, 20, 4000, dtype=torch.float64) / math.sqrt(split / math.pi)
    x = split * radius**2
    real = torch.maximum(real_terms(radius, split, 1.0)[:, :2].amax(-1), torch.exp(-x))
    q = torch.linspace(0.05, 20, 4000, dtype=torch.float64) * math.sqrt(split / math.pi)
    y = (math.pi * q) ** 2 / split
    pauli = math.pi / 2 * math.sqrt(2 * split / math.e) * (1 + y) * torch.exp(-y) / (split * y) ** 2
    reciprocal = torch.maximum(reciprocal_terms(q**2, split, 1.0)[:, :2].amax(-1), pauli)
    return _last_above(radius, real, tolerance), _last_above(q, reciprocal, tolerance)


def _last_above(radius: torch.Tensor, summand: torch.Tensor, tolerance: float) -> float:
    tail = 4 * math.pi * radius**3 * summand
    return float(radius[int((tail > tolerance).nonzero().max()) + 1])


def lattice_points(basis: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
    """Integer combinations of the basis rows up to a bound per row; point k is minus point -1-k."""
    axes = [torch.arange(-int(n), int(n) + 1, dtype=basis.dtype, device=basis.device) for n in bounds]
    return torch.cartesian_prod(*axes) @ basis


def _real_part(
    vectors: torch.Tensor, lattice: torch.Tensor, split: float, decay: float, cutoff: float
) -> torch.Tensor:
    """Real-space sums for pair vectors of shape ``(P, 3)``; shape ``(P, 3)``.  Leaves r = 0 out."""
    inverse = torch.linalg.inv(lattice)
    vectors = vectors - torch.round(vectors @ inverse) @ lattice
    # A wrapped vector is at most half a cell away from the origin along each axis.
    bounds = torch.floor(cutoff * torch.linalg.vector_norm(inverse, dim=0) + 0.5)
    points = lattice_points(lattice, bounds)
    reach = cutoff + float(torch.linalg.vector_norm(vectors, dim=-1).max())
    points = points[torch.linalg.vector_norm(points, dim=-1) <= reach]
    sums = [
        _sum_within(chunk, points, split, decay, cutoff)
        for chunk in vectors.split(max(1, CHUNK // len(points)))
    ]
    return torch.cat(sums)


def _sum_within(
    vectors: torch.Tensor, points: torch.Tensor, split: float, decay: float, cutoff: float
) -> torch.Tensor:
    distance = torch.linalg.vector_norm(vectors[:, None] + points, dim=-1)
    near = (distance <= cutoff) & (distance > 0)
    terms = real_terms(distance[near], split, decay)
    return torch.segment_reduce(terms, "sum", lengths=near.sum(dim=1), axis=0)


def _reciprocal_part(
    coords: torch.Tensor, lattice: torch.Tensor, split: float, decay: float, cutoff: float
) -> torch.Tensor:
    """Reciprocal-space sums over q != 0 for all pairs of positions; shape ``(N, N, 3)``.

    cos 2 pi q (r_i - r_j) factorises into cosines and sines of the single positions, so that the sum over q
    becomes one matrix product per term.  Of q and -q, which contribute the same, one is taken.
    """
    reciprocal = torch.linalg.inv(lattice).T
    points = lattice_points(reciprocal, torch.floor(cutoff * torch.linalg.vector_norm(lattice, dim=1)))
    points = points[len(points) // 2 + 1 :]
    q_squared = (points**2).sum(dim=-1)
    points, q_squared = points[q_squared <= cutoff**2], q_squared[q_squared <= cutoff**2]
    sums = coords.new_zeros(3, len(coords), len(coords))
    n_points = max(1, CHUNK // len(coords))
    for chunk, squares in zip(points.split(n_points), q_squared.split(n_points), strict=True):
        phases = 2 * math.pi * coords @ chunk.T
        waves = torch.cat([torch.cos(phases), torch.sin(phases)], dim=1)
        weights = 2 * reciprocal_terms(squares, split, decay).T.repeat(1, 2)
        sums += (weights[:, None] * waves) @ waves.T
    return sums.permute(1, 2, 0).contiguous()
