"""The scene of a structure in a CIF file."""

import logging
from pathlib import Path

from polyfacet.facets.image.drawable import CrystalScene, SceneError
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.materials.cif import CifError, read_cif
from polyfacet.runtime.machine_failures import raise_machine_failure

logger = logging.getLogger(__name__)


def scene_of_cif(cif: Path, settings: RenderSettings) -> CrystalScene:
    """Read a CIF file and make the scene of its structure.

    Raises
    ------
    SceneError
        If the file is missing, contains no structure, or no scene can be made of it.
    """
    try:
        return crystal_scene(read_cif(cif), settings)
    except CifError as error:
        raise SceneError(str(error)) from error
    except SceneError:
        raise
    except Exception as error:
        raise_machine_failure(error)
        # One unusual structure must cost only its own picture; the log has the details.
        logger.exception("no scene of %s", cif.name)
        raise SceneError(f"no scene could be made: {type(error).__name__}: {error}") from error
