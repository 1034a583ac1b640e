"""The scenes that the viewer draws.

Kept separate from the code that makes them, so that drawing processes avoid the slow Crystal Toolkit import.
"""

from dataclasses import dataclass

from polyfacet.config.images import View

# The viewer replaces a scene by name; a scene of another name would be drawn on top of the first.
SCENE_NAME = "crystal"


class SceneError(ValueError):
    """No faithful scene can be made of a crystal; the message is the reason."""


@dataclass(frozen=True)
class CrystalScene:
    """The scenes of one crystal.

    Attributes
    ----------
    views
        Scene of each view, in Crystal Toolkit's JSON; lengths in A.
    n_bonds
        Number of bonds per unit cell.
    bonding_failure
        Why there are no bonds although they were requested: CrystalNN found none, or failed.
    """

    views: dict[View, str]
    n_bonds: int
    bonding_failure: str | None = None
