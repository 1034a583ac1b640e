"""Changes inside Crystal Toolkit's viewer (``assets/meshes.js``), which has no public interface for them."""

from polyfacet.facets.image.settings import RenderSettings
from polyfacet.runtime.upstream import written_for

written_for(__name__, "dash-mp-components", "0.5.2")

SCRIPT = "meshes.js"


def assets_to_ignore(settings: RenderSettings) -> str:
    """Return a regular expression for the assets that the page must not load.

    The changes are right only if the viewer looks along z, which it does at a centred scene.
    """
    return "" if settings.centered else SCRIPT
