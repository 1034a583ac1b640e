"""Fusions in which tokens attend to each other: joint transformer, bottleneck, cross-attention.

A missing facet is not in the softmax; nothing takes its place.
"""

import torch
from torch import nn

from polyfacet.training.engines.joint.fusion.base import Fusion
from polyfacet.training.engines.joint.tokens import Fused, Tokens, mean_over_present

# Spread of the initial values of learned tokens.
SMALL = 0.02


class AttentionLayer(nn.Module):
    """Self-attention and a network with one hidden layer, each after a normalisation, added to its input."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.before_attention, self.before_network = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.network = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: torch.Tensor,
        hidden: torch.Tensor,
        blocked: torch.Tensor | None,
        *,
        explain: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the tokens and, to explain them, who attended to whom.

        Parameters
        ----------
        tokens
            Shape ``(rows, tokens, width)``.
        hidden
            Tokens that nobody attends to, shape ``(rows, tokens)``.
        blocked
            Whom a token never attends to, shape ``(tokens, tokens)``; None blocks nothing.
        explain
            Whether attention is returned, mean over the heads, shape ``(rows, tokens, tokens)``.
        """
        normed = self.before_attention(tokens)
        attended, weights = self.attention(
            normed, normed, normed, key_padding_mask=hidden, attn_mask=blocked, need_weights=explain
        )
        tokens = tokens + self.dropout(attended)
        return tokens + self.dropout(self.network(self.before_network(tokens))), weights


class AttentionFusion(Fusion):
    """Base of fusions by self-attention: learned tokens come first, and their mean is the result."""

    def __init__(self, width: int, heads: int, n_layers: int, n_learned: int, dropout: float) -> None:
        super().__init__()
        self.learned = nn.Parameter(SMALL * torch.randn(n_learned, width))
        self.layers = nn.ModuleList(AttentionLayer(width, heads, dropout) for _ in range(n_layers))

    def blocked(self, facets: torch.Tensor) -> torch.Tensor | None:
        """Return whom a token never attends to, learned tokens first; None blocks nothing."""
        return None

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        return Fused(self._attend(tokens, explain=False)[0])

    def weights(self, tokens: Tokens) -> torch.Tensor:
        """Return the share of each facet by attention rollout, shape ``(rows, facets)``.

        Attention and what bypasses it count half each, and the layers are multiplied.
        """
        _, attention = self._attend(tokens, explain=True)
        total = torch.eye(attention[0].shape[1])
        for of_layer in attention:
            total = 0.5 * (of_layer + torch.eye(of_layer.shape[1])) @ total
        n_learned = len(self.learned)
        of_facets = total[:, :n_learned, n_learned:].mean(dim=1) @ tokens.owners * tokens.present
        return of_facets / of_facets.sum(dim=1, keepdim=True)

    def _attend(self, tokens: Tokens, *, explain: bool) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the representation and, to explain it, the attention in each layer."""
        n_rows, n_learned = len(tokens.values), len(self.learned)
        values = torch.cat([self.learned.expand(n_rows, -1, -1), tokens.values], dim=1)
        hidden = torch.cat([tokens.shown.new_zeros(n_rows, n_learned), ~tokens.shown], dim=1)
        blocked = self.blocked(tokens.facets)
        attention = []
        for layer in self.layers:
            values, of_layer = layer(values, hidden, blocked, explain=explain)
            attention.append(of_layer)
        return values[:, :n_learned].mean(dim=1), attention


class JointTransformer(AttentionFusion):
    """All tokens of all facets attend to each other; one learned token collects the result."""

    def __init__(self, width: int, heads: int, n_layers: int, dropout: float) -> None:
        super().__init__(width, heads, n_layers, 1, dropout)


class Bottleneck(AttentionFusion):
    """Tokens attend to their own facet and to a few learned tokens, through which all else has to pass."""

    def blocked(self, facets: torch.Tensor) -> torch.Tensor:
        """Block attention between different facets."""
        n_learned = len(self.learned)
        n_tokens = n_learned + len(facets)
        blocked = torch.zeros(n_tokens, n_tokens, dtype=torch.bool, device=facets.device)
        blocked[n_learned:, n_learned:] = facets[:, None] != facets[None, :]
        return blocked


class CrossAttention(Fusion):
    """The tokens of each facet attend to those of each other facet; the results are averaged.

    One layer of attention serves all pairs.

    Parameters
    ----------
    gated
        Whether what a token finds is weighted by a gate, which sees the token and what it finds (GMCA).
    """

    def __init__(self, n_facets: int, width: int, heads: int, dropout: float, *, gated: bool) -> None:
        super().__init__()
        self.n_facets = n_facets
        self.after = nn.LayerNorm(width)
        # A single facet has nothing to attend to; weights that are never used could not be trained together.
        self.before = nn.LayerNorm(width) if n_facets > 1 else nn.Identity()
        self.attention = (
            nn.MultiheadAttention(width, heads, dropout, batch_first=True) if n_facets > 1 else None
        )
        self.gate = nn.Linear(2 * width, width) if gated and n_facets > 1 else None
        self.network = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        normed = self.before(tokens.values)
        of_facets = [self._enriched(tokens, normed, facet) for facet in range(self.n_facets)]
        vectors = torch.stack(of_facets, dim=1)
        return Fused(mean_over_present(vectors + self.network(self.after(vectors)), tokens.present))

    def _enriched(self, tokens: Tokens, normed: torch.Tensor, facet: int) -> torch.Tensor:
        """Return one vector of a facet, shape ``(rows, width)``: its own and what it finds in the others."""
        own = tokens.facets == facet
        shares = tokens.shares[:, own, None]
        pooled = (tokens.values[:, own] * shares).sum(dim=1)
        # A facet that no row has may have no tokens.
        others = [other for other in tokens.facets.unique().tolist() if other != facet]
        if not others or not own.any():
            return pooled
        found = [(self._found(normed[:, own], tokens, normed, other) * shares).sum(dim=1) for other in others]
        present = tokens.present[:, others]
        total = (torch.stack(found, dim=1) * present[..., None]).sum(dim=1)
        return pooled + total / present.sum(dim=1, keepdim=True).clamp_min(1)

    def _found(self, queries: torch.Tensor, tokens: Tokens, normed: torch.Tensor, other: int) -> torch.Tensor:
        """Attend to the tokens of another facet."""
        theirs = tokens.facets == other
        # Attention needs something to look at; the caller drops what it finds in a missing facet.
        hidden = ~tokens.shown[:, theirs] & tokens.present[:, other, None]
        keys = normed[:, theirs]
        if self.attention is None:
            raise RuntimeError("a single facet has nothing to attend to")
        attended, _ = self.attention(queries, keys, keys, key_padding_mask=hidden, need_weights=False)
        if self.gate is None:
            return attended
        return attended * self.gate(torch.cat([queries, attended], dim=-1)).sigmoid()
