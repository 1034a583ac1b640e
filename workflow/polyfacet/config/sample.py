"""Which materials are sampled and how large their cells may be."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from polyfacet.config.elements import Element
from polyfacet.config.section import Section, Text, each_once

Magnetization = Literal["absolute", "signed"]

Elements = Annotated[list[Element], AfterValidator(each_once)]
SpaceGroup = Annotated[int, Field(ge=1, le=230)]


class MaxSites(Section):
    """Largest number of sites in a cell, per stage; the stage rejects larger materials."""

    structures: int = Field(default=2000, ge=1, description="CIF files, the input of the other stages.")
    graphs: int = Field(
        default=250,
        ge=1,
        description="Graphs, which are built from the primitive cell; memory grows with the square of this "
        "number.",
    )
    images: int = Field(default=1000, ge=1, description="Pictures; sites of the drawn cell.")
    texts: int = Field(default=250, ge=1, description="Texts that describe the structure.")


class Filters(Section):
    """Conditions that an entry must meet to be sampled."""

    elements_allowed: Elements = Field(
        default=[],
        description="If not empty, materials may contain only these elements.",
        examples=[["Fe", "O"]],
    )
    elements_required: Elements = Field(
        default=[], description="Materials must contain all of these elements.", examples=[["Fe", "O"]]
    )
    elements_excluded: Elements = Field(
        default=[], description="Materials must not contain any of these elements.", examples=[["Fe", "O"]]
    )
    sites_min: int = Field(default=1, ge=1, description="Smallest number of sites in the cell.")
    sites_max: int | None = Field(
        default=None, ge=1, description="Largest number of sites in the cell; `null` for no limit."
    )
    e_hull_max: float | None = Field(
        default=None, description="Largest energy above hull, eV/atom; `null` for no limit."
    )
    space_groups: list[SpaceGroup] = Field(
        default=[],
        description="If not empty, only materials whose source states one of these space-group numbers.",
    )


class Stratify(Section):
    """A draw that covers the range of an objective evenly."""

    objective: Text = Field(
        description="Objective, or column of the sources, whose range is divided.", examples=["gap"]
    )
    strata: int = Field(default=10, ge=2, le=1000, description="Number of strata of equal width.")
