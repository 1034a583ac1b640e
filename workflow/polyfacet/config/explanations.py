"""Explanations of predictions, which are made only if they are asked for."""

from pydantic import Field

from polyfacet.config.section import Section


class Explanations(Section):
    """Explanations of the predictions of networks that read pictures or graphs."""

    materials: int = Field(
        default=200, ge=10, description="Test materials of a split that are explained, at most."
    )
    repeats: int = Field(
        default=1, ge=1, description="Number of the first repeats of each split that are explained."
    )
    maps: int = Field(
        default=4,
        ge=0,
        description="Test materials whose picture is shown with the contributions of regions.",
    )
