"""Settings for drawing pictures of crystals."""

from typing import Any

from pydantic import Field

from polyfacet.config.images import Drawing
from polyfacet.materials.cell_size import MAX_SITES

# The viewer does not draw a smaller compass.
MIN_COMPASS_PX = 50


class RenderSettings(Drawing):
    """Everything that determines a picture: the keys of `Drawing`, and settings that are not configurable.

    Attributes
    ----------
    bonded_sites_outside_unit_cell
        Whether to draw atoms of neighbouring cells that are bonded to an atom in the cell.
    show_compass
        Whether to show the directions of the lattice vectors in the lower left corner.
    max_sites
        Maximum number of sites in a cell that is drawn.
    """

    bonded_sites_outside_unit_cell: bool = True
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
