"""Settings of contrastive pretraining."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings

Contrast = Literal["none", "fused_anchor", "anchored", "all_pairs", "comm", "calibrated"]
Duplicates = Literal["ignore", "negative", "positive"]
Partners = Literal["own", "shuffled"]
Afterwards = Literal["tuned", "frozen"]


class Pretraining(Settings):
    """What towers and fusion learn before the objectives, and how."""

    contrast: Contrast = Field(
        default="none",
        description="Which representations of a material are pulled together, apart from those of others; "
        "[contrast](contrast.md) explains each way.",
    )
    anchor: str = Field(
        default="graph", description="Facet that all others are contrasted with (`anchored`)."
    )
    order: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of a loss that orders the materials by their values of the objectives; above 0, "
        "pretraining learns from labels.",
    )
    duplicates: Duplicates = Field(
        default="ignore",
        description="What materials with the same content of a facet are to each other: left out of the "
        "comparison (`ignore`), as different as all others (`negative`), or the same (`positive`).",
    )
    partners: Partners = Field(
        default="own",
        description="`shuffled`: facets of different materials are paired at random, a control that must "
        "learn nothing of use.",
    )
    temperature: float = Field(default=0.1, gt=0, description="Temperature of the comparison.")
    hidden: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Probability that all facets together, as anchor, are without the facet they are "
        "contrasted with, so that it cannot be copied (`fused_anchor`).",
    )
    rank: int = Field(
        default=16, ge=1, description="Rank of the imputation of missing facets (`calibrated`)."
    )
    projection: int = Field(default=128, ge=2, description="Numbers in which representations are compared.")
    epochs: int = Field(default=100, ge=1, description="Number of epochs of pretraining.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Its highest learning rate.")
    afterwards: Afterwards = Field(
        default="tuned",
        description="Whether towers and fusion are trained on the objectives as well (`tuned`), or only the "
        "layers after them (`frozen`).",
    )

    @property
    def is_asked_for(self) -> bool:
        """Whether there is any pretraining."""
        return self.contrast != "none"


def pretraining_of(settings: Mapping[str, Any]) -> Pretraining:
    """Return the pretraining in the settings of a method, with defaults."""
    return Pretraining(**settings.get("pretraining", {}))
