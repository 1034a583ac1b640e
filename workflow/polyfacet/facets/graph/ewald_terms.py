"""Real- and reciprocal-space terms of the three potentials, in closed form (exp, erfc, erfcx).

Each sum over all lattice translations is split, after Ewald, into a sum that converges quickly in real space
and one that converges quickly in reciprocal space (arXiv:2306.10045).  All lengths are in units of V^(1/3),
so that one split parameter suits all cells; the last axis is always (Coulomb, London, Pauli).
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch.special import erfc, erfcx

TERMS = ("coulomb", "london", "pauli")


@dataclass(frozen=True)
class Precision:
    """Numerical precision of the sums.

    Parameters
    ----------
    dtype
        Type of the waves, of the real-space terms and of the matrix products; geometry, reciprocal weights
        and totals are always float64.
    split
        The Ewald split parameter; the result does not depend on it.  Both parts converge equally fast at pi;
        a larger value moves work from the real-space part (special functions per pair) to the reciprocal part
        (matrix products), and increases the cancellation between the two.
    tolerance
        Bound on the truncation error of the cutoffs, in reduced units (V = 1).
    """

    dtype: torch.dtype
    split: float
    tolerance: float


DOUBLE = Precision(torch.float64, 2 * math.pi, 1e-12)
SINGLE = Precision(torch.float32, 1.5 * math.pi, 1e-7)


def real_terms(distance: torch.Tensor, split: float, decay: torch.Tensor | float) -> torch.Tensor:
    """Return real-space terms at distances r > 0 (one Pauli decay, or one per distance); ``(..., 3)``."""
    b = torch.as_tensor(decay, dtype=distance.dtype, device=distance.device) / (2 * math.sqrt(split))
    square = distance * distance
    x = split * square
    root = math.sqrt(split) * distance
    gauss = torch.exp(-x)
    # erfc and erfcx are each used where they neither overflow nor cancel, whatever the decay.
    inner = torch.exp(-decay * distance) * erfc(root - b)
    outer = torch.exp(-b * b) * gauss * erfcx(root + b)
    london = gauss * (1 + x + x * x / 2) / (square * square * square)
    return torch.stack([erfc(root) / distance, london, (inner - outer) / 2], dim=-1)


def reciprocal_terms(q_squared: torch.Tensor, split: float, decay: torch.Tensor | float) -> torch.Tensor:
    """Return reciprocal-space weights at q^2 > 0 (one Pauli decay, or one per q); shape ``(..., 3)``."""
    y = math.pi**2 / split * q_squared
    gauss = torch.exp(-y)
    root = torch.sqrt(y)
    # Upper incomplete gamma functions of order -1/2 and -3/2.
    gamma_1 = 2 * gauss * (1 / root - math.sqrt(math.pi) * erfcx(root))
    gamma_3 = (gauss / (y * root) - gamma_1) * 2 / 3
    london = (math.pi * split) ** 1.5 / 2 * (y * root) * gamma_3
    return torch.stack([gauss / (math.pi * q_squared), london, _pauli_weight(y, split, decay)], dim=-1)


def _pauli_weight(y: torch.Tensor, split: float, decay: torch.Tensor | float) -> torch.Tensor:
    z = y + decay * decay / (4 * split)
    scaled = split * z
    return decay * math.pi / 2 * (1 + z) * torch.exp(-z) / (scaled * scaled)


def constants(split: float, decay: float) -> list[float]:
    """Return the contributions of q = 0 (for the Coulomb term: of the neutralising background)."""
    london = (math.pi * split) ** 1.5 / 3
    pauli = _pauli_weight(torch.zeros((), dtype=torch.float64), split, decay)
    return [-math.pi / split, london, float(pauli)]


def self_terms(split: float, decay: float) -> list[float]:
    """Return the values that replace the real-space terms at r = 0."""
    b = decay / (2 * math.sqrt(split))
    return [-2 * math.sqrt(split / math.pi), -(split**3) / 6, math.erf(b)]


@cache
def cutoffs(split: float, tolerance: float) -> tuple[float, float]:
    """Choose cutoff radii in real and reciprocal space that keep the neglected sums below the tolerance.

    At unit density the terms f beyond R add up to less than about 4 pi R^3 f(R).  The Pauli terms are bounded
    for every decay: in real space by exp(-split r^2), in reciprocal space by their largest prefactor.
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
