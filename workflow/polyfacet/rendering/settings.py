"""How a picture of a crystal is drawn."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from polyfacet.errors import UserError

ColorScheme = Literal["VESTA", "Jmol"]
View = Literal["x", "y", "z"]
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
        Whether CrystalNN bonds (and the coordination polyhedra that follow from them) are drawn.
    bonded_sites_outside_unit_cell
        Whether atoms of neighbouring cells are drawn that are bonded to an atom in the cell.
    colors
        Colours of the elements.
    unit_cell
        Whether the edges of the unit cell are drawn.  The frame holds all that is drawn: without its cell, a
        chain or layer in vacuum fills the picture instead of the middle of it.
    view
        Cartesian axis that one looks along.  Crystal Toolkit looks along z; a chain along z then shows its
        cross section only.
    centered
        Whether the middle of what is drawn is the middle of the picture.  If not, Crystal Toolkit's viewer
        looks at the middle of the unit cell: aslant, and past atoms that stand far out on one side.
    show_compass
        Whether the directions of the lattice vectors are shown in the lower left corner.
    webgl
        What draws: ``egl`` (the system's OpenGL: llvmpipe, or a graphics card), ``swiftshader`` (Chromium's
        own), or ``auto``: the first of the two that works.  Their pictures differ in single pixels.
    """

    size: int = 300
    sphere_segments: int = 32
    bonds: bool = True
    bonded_sites_outside_unit_cell: bool = True
    colors: ColorScheme = "VESTA"
    unit_cell: bool = True
    view: View = "z"
    centered: bool = True
    show_compass: bool = False
    webgl: WebGLBackend = "auto"

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
        for name, value, choices in (
            ("colors", self.colors, get_args(ColorScheme)),
            ("view", self.view, get_args(View)),
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
