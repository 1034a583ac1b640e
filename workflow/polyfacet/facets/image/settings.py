"""How a picture of a crystal is drawn."""

from typing import Any

from pydantic import Field

from polyfacet.config.images import Drawing
from polyfacet.materials.cell_size import MAX_SITES

# The viewer draws no smaller compass.
MIN_COMPASS_PX = 50


class RenderSettings(Drawing):
    """Everything that decides what a picture shows: the keys of `Drawing`, and what no configuration changes.

    Attributes
    ----------
    bonded_sites_outside_unit_cell
        Whether atoms of neighbouring cells are drawn that are bonded to an atom in the cell.
    centered
        Whether the middle of what is drawn is the middle of the picture.  If not, Crystal Toolkit's viewer
        looks at the middle of the unit cell: aslant, and past atoms that stand far out on one side.
    show_compass
        Whether the directions of the lattice vectors are shown in the lower left corner.
    max_sites
        Largest number of sites in a cell that is drawn.
    """

    bonded_sites_outside_unit_cell: bool = True
    centered: bool = True
    show_compass: bool = False
    max_sites: int = Field(default=MAX_SITES["images"], ge=1)

    def component_properties(self) -> dict[str, Any]:
        """Return the properties of the ``CrystalToolkitScene`` component that draws with these settings."""
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
