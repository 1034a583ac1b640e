"""Mixture of experts: a router sends each row to a few of the experts of its facets."""

import math

import torch
from torch import nn
from torch.nn.functional import softplus

from polyfacet.networks.processes import summed
from polyfacet.training.engines.joint.fusion.base import Fusion
from polyfacet.training.engines.joint.tokens import Fused, Tokens, mean_over_present

# Logit of an expert whose facet is missing: finite, so that gradients stay finite.
NEVER = -1e4


class Experts(Fusion):
    """The mean of the chosen experts, weighted by the router.

    Parameters
    ----------
    per_facet
        Experts of each facet, which see its vector.
    n_chosen
        Experts that a row is routed to; fewer if its facets have fewer.
    balance
        Weight of the penalty for experts that are busier than others.
    constant
        Whether the router sees no row: it learns one logit per expert, has no noise, and chooses all experts.
    """

    def __init__(
        self,
        n_facets: int,
        width: int,
        dropout: float,
        *,
        per_facet: int,
        n_chosen: int,
        balance: float,
        constant: bool,
    ) -> None:
        super().__init__()
        self.per_facet, self.n_chosen, self.balance, self.constant = per_facet, n_chosen, balance, constant
        n_experts = n_facets * per_facet
        self.experts = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
            )
            for _ in range(n_experts)
        )
        self.fixed = nn.Parameter(torch.zeros(n_experts))
        if not constant:
            self.route, self.spread = nn.Linear(width, n_experts), nn.Linear(width, n_experts)
            for layer in (self.route, self.spread):
                nn.init.zeros_(layer.weight)

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        vectors = tokens.pooled()
        available = tokens.present.repeat_interleave(self.per_facet, dim=1)
        logits, noisy, spread = self._logits(mean_over_present(vectors, tokens.present))
        logits, noisy = (each.masked_fill(~available, NEVER) for each in (logits, noisy))
        n_experts = noisy.shape[1]
        n_chosen = n_experts if self.constant else min(self.n_chosen, n_experts)
        chosen = torch.zeros_like(available).scatter(1, noisy.topk(n_chosen, dim=1).indices, True)
        weights = noisy.masked_fill(~(chosen & available), -torch.inf).softmax(dim=1)
        of_experts = torch.stack(
            [expert(vectors[:, number // self.per_facet]) for number, expert in enumerate(self.experts)],
            dim=1,
        )
        fused = torch.einsum("be,bed->bd", weights, of_experts)
        of_facets = weights.unflatten(1, (-1, self.per_facet)).sum(dim=-1)
        penalty = None
        if self.training and self.balance and not self.constant:
            load = _load(logits, noisy, spread, n_chosen) * available
            # How busy the experts are is a matter of all processes.
            busy = [summed(each.sum(dim=0)) for each in (weights, load)]
            penalty = self.balance * torch.stack(list(map(_unevenness, busy))).sum()
        return Fused(fused, of_facets, penalty)

    def _logits(self, context: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits, logits with noise (in training) and the spread of the noise, all per expert."""
        if self.constant:
            logits = self.fixed.expand(len(context), -1)
            return logits, logits, torch.ones_like(logits)
        logits = self.fixed + self.route(context)
        spread = softplus(self.spread(context))
        noisy = logits + spread * torch.randn_like(logits) if self.training else logits
        return logits, noisy, spread


def _load(logits: torch.Tensor, noisy: torch.Tensor, spread: torch.Tensor, n_chosen: int) -> torch.Tensor:
    """Return the probability, over new noise of one expert at a time, that it is chosen.

    All shapes are ``(rows, experts)``.
    """
    if n_chosen >= logits.shape[1]:
        return torch.ones_like(logits)
    highest = noisy.topk(n_chosen + 1, dim=1).values
    # An expert that is chosen has to beat the first that is not; any other has to beat the last chosen one.
    last_chosen, first_left = highest[:, n_chosen - 1, None], highest[:, n_chosen, None]
    to_beat = torch.where(noisy > first_left, first_left, last_chosen)
    return 0.5 * (1 + torch.erf((logits - to_beat) / (spread * math.sqrt(2))))


def _unevenness(of_experts: torch.Tensor) -> torch.Tensor:
    """Return the squared coefficient of variation; 0 for a single expert."""
    if len(of_experts) < 2:
        return of_experts.sum() * 0
    return of_experts.var() / of_experts.mean() ** 2
