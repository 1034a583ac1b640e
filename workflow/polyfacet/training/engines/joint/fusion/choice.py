"""The fusion that settings name."""

from collections.abc import Callable

from polyfacet.training.engines.joint.fusion.attention import Bottleneck, CrossAttention, JointTransformer
from polyfacet.training.engines.joint.fusion.base import Fusion
from polyfacet.training.engines.joint.fusion.experts import Experts
from polyfacet.training.engines.joint.fusion.pooled import Concatenation, Gated, GatedVector, Mean
from polyfacet.training.engines.joint.settings import JointSettings


def new_fusion(settings: JointSettings, n_facets: int) -> Fusion:
    """Create the fusion of a number of facets, with initial weights."""
    width, dropout = settings.width, settings.dropout
    heads, layers = settings.attention_heads, settings.layers
    made: dict[str, Callable[[], Fusion]] = {
        "transformer": lambda: JointTransformer(width, heads, layers, dropout),
        "bottleneck": lambda: Bottleneck(width, heads, layers, settings.bottleneck_tokens, dropout),
        "cross_attention": lambda: CrossAttention(n_facets, width, heads, dropout, gated=False),
        "gated_cross_attention": lambda: CrossAttention(n_facets, width, heads, dropout, gated=True),
        "concatenation": lambda: Concatenation(n_facets, width, dropout),
        "mean": lambda: Mean(n_facets, width),
        "gated": lambda: Gated(n_facets, width, softmax=False, entropy=settings.gate_entropy),
        "gated_softmax": lambda: Gated(n_facets, width, softmax=True, entropy=settings.gate_entropy),
        "gated_vector": lambda: GatedVector(n_facets, width),
        "experts": lambda: _experts(settings, n_facets, constant=False),
        "constant_experts": lambda: _experts(settings, n_facets, constant=True),
    }
    return made[settings.fusion]()


def _experts(settings: JointSettings, n_facets: int, *, constant: bool) -> Experts:
    return Experts(
        n_facets,
        settings.width,
        settings.dropout,
        per_facet=settings.experts,
        n_chosen=settings.top_experts,
        balance=settings.balance,
        constant=constant,
    )
