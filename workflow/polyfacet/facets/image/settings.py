"""How a picture of a crystal is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from polyfacet.materials.cell_size import MAX_SITES
from polyfacet.runtime.errors import UserError

ColorScheme = Literal["VESTA", "Jmol"]
Cell = Literal["given", "primitive", "conventional"]
Vacuum = Literal["trim", "keep"]
View = Literal["z", "x", "y", "a", "b", "c", "oblique"]
Arrangement = Literal["montage", "columns"]
WebGLBackend = Literal["auto", "egl", "swiftshader"]

MIN_SIZE_PX = 32
MAX_SIZE_PX = 2048
# The viewer draws no smaller compass.
MIN_COMPASS_PX = 50


@dataclass(frozen=True)
class RenderSettings:
    """Everything that decides what a picture shows.

    Attributes
    ----------
    size
        Width and height of the picture, pixels.
    sphere_segments
        Segments of a sphere's outline; 16 draws twice as fast as Crystal Toolkit's 32 and looks the same in
        small pictures.
    bonds
        Whether CrystalNN bonds are drawn.
    polyhedra
        Whether the coordination polyhedra that follow from the bonds are drawn.
    bonded_sites_outside_unit_cell
        Whether atoms of neighbouring cells are drawn that are bonded to an atom in the cell.
    colors
        Colours of the elements.
    cell
        Which unit cell is drawn: the one of the structure as given, the standard primitive or the standard
        conventional one.
    unit_cell
        Whether the edges of the unit cell are drawn.
    vacuum
        What becomes of the vacuum in the cell of a molecule, a chain or a layer.  The frame holds all that is
        drawn: with ``trim`` the cell is drawn as far as it is filled (see `vacuum.without_vacuum`), so that
        the atoms fill the picture; with ``keep`` the empty cell does.
    views
        From where the crystal is looked at, one picture each (see `views.rotation_of_view`).  Crystal Toolkit
        looks along ``z``; a long c axis, or a chain along it, then shows its cross section only.
    arrangement
        What becomes of the pictures of several views: one ``montage`` of them all, or ``columns``: they stay
        single, and each view is a column of the dataset.
    centered
        Whether the middle of what is drawn is the middle of the picture.  If not, Crystal Toolkit's viewer
        looks at the middle of the unit cell: aslant, and past atoms that stand far out on one side.
    show_compass
        Whether the directions of the lattice vectors are shown in the lower left corner.
    webgl
        What draws: ``egl`` (the system's OpenGL: llvmpipe, or a graphics card), ``swiftshader`` (Chromium's
        own), or ``auto``: the first of the two that works.  Their pictures differ in single pixels.
    max_sites
        Largest number of sites in a cell that is drawn.
    """

    size: int = 300
    sphere_segments: int = 32
    bonds: bool = True
    polyhedra: bool = True
    bonded_sites_outside_unit_cell: bool = True
    colors: ColorScheme = "VESTA"
    cell: Cell = "given"
    unit_cell: bool = True
    vacuum: Vacuum = "trim"
    views: Sequence[View] = ("z",)
    arrangement: Arrangement = "montage"
    centered: bool = True
    show_compass: bool = False
    webgl: WebGLBackend = "auto"
    max_sites: int = MAX_SITES["images"]

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises
        ------
        UserError
            If a value is outside its range; says which ones are allowed.
        """
        if not MIN_SIZE_PX <= self.size <= MAX_SIZE_PX:
            raise UserError(f"image size {self.size} px: must be {MIN_SIZE_PX} to {MAX_SIZE_PX}")
        if not 3 <= self.sphere_segments <= 128:
            raise UserError(f"sphere_segments {self.sphere_segments}: must be 3 to 128")
        if not self.views or len(set(self.views)) < len(self.views):
            raise UserError(f"views {list(self.views)}: must be one or more, each named once")
        for name, value, choices in (
            ("colors", self.colors, get_args(ColorScheme)),
            ("cell", self.cell, get_args(Cell)),
            ("vacuum", self.vacuum, get_args(Vacuum)),
            ("arrangement", self.arrangement, get_args(Arrangement)),
            *(("views", view, get_args(View)) for view in self.views),
            ("webgl", self.webgl, get_args(WebGLBackend)),
        ):
            if value not in choices:
                raise UserError(f"{name} {value!r}: must be one of {', '.join(choices)}")

    def component_properties(self) -> dict[str, Any]:
        """Give the properties of the ``CrystalToolkitScene`` component that draws with these settings."""
        return {
            "settings": {
                "renderer": "webgl",
                "antialias": True,
                "transparentBackground": False,
                "background": "#ffffff",
                "sphereSegments": self.sphere_segments,
                "staticScene": True,
                "zoomToFit2D": True,
                "extractAxis": True,
                "secondaryObjectView": False,
            },
            "sceneSize": self.size,
            "axisView": "SW" if self.show_compass else "HIDDEN",
            "inletSize": max(MIN_COMPASS_PX, self.size // 4),
            "inletPadding": 1,
            "showControls": False,
            "showExpandButton": False,
            "showImageButton": False,
            "showExportButton": False,
            "showPositionButton": False,
        }
