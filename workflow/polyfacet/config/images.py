"""How pictures of structures are drawn."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from polyfacet.config.section import Section, each_once

ColorScheme = Literal["VESTA", "Jmol"]
Cell = Literal["given", "primitive", "conventional"]
Vacuum = Literal["trim", "keep"]
View = Literal["z", "x", "y", "a", "b", "c", "oblique"]
Arrangement = Literal["montage", "columns"]
WebGLBackend = Literal["auto", "egl", "swiftshader"]


class Drawing(Section):
    """Settings that determine what a picture shows."""

    size: int = Field(default=128, ge=32, le=2048, description="Width and height of a picture, pixels.")
    bonds: bool = Field(
        default=True,
        description="Whether bonds (CrystalNN) are drawn; in disordered crystals, those of the most "
        "frequent species of each site.",
    )
    polyhedra: bool = Field(
        default=True, description="Whether the coordination polyhedra that follow from the bonds are drawn."
    )
    sphere_segments: int = Field(
        default=32, ge=3, le=128, description="Segments of a sphere's outline; fewer are faster."
    )
    colors: ColorScheme = Field(default="VESTA", description="Element colours.")
    cell: Cell = Field(
        default="given",
        description="The unit cell that is drawn: as `given` by the source, as in Costa (2024), or a "
        "standard one.",
    )
    unit_cell: bool = Field(default=True, description="Whether the edges of the unit cell are drawn.")
    vacuum: Vacuum = Field(
        default="trim",
        description="`trim` crops the cell to the atoms where a gap of more than 6 A isolates a "
        "molecule, chain or layer, so that it fills the picture; `keep` draws the vacuum as well,"
        " as in Costa (2024).",
    )
    views: Annotated[list[View], Field(min_length=1), AfterValidator(each_once)] = Field(
        default=["z"],
        description="Viewing directions: along a Cartesian axis (`z`, as in Costa (2024)), along a lattice"
        " vector, or between them (`oblique`, with c upright).",
    )
    arrangement: Arrangement = Field(
        default="montage",
        description="How several views are arranged: in one `montage`, or as separate `columns` of the "
        "dataset (`image_a`, ...), which share an encoder.",
    )
    centered: bool = Field(
        default=True,
        description="Whether the picture is centred on everything that is drawn. If not, the viewer looks at "
        "the centre of the unit cell, as in Costa (2024): obliquely, and past atoms far from it.",
    )
    webgl: WebGLBackend = Field(
        default="auto",
        description="Renderer: the system's OpenGL (`egl`), Chromium's own renderer (`swiftshader`), or"
        " the first of them that works (`auto`).",
    )


class Images(Drawing):
    """Pictures of the structures, drawn by Crystal Toolkit in a headless browser."""

    browser: str | None = Field(
        default=None, description="Path of a Chromium executable; `null` searches for one."
    )


class StructurePage(Section):
    """The page that `snakemake serve_structures` serves."""

    port: int | None = Field(
        default=None, ge=1024, le=65535, description="Port on 127.0.0.1; `null` picks a free one."
    )
