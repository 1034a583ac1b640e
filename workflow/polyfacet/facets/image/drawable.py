"""What the viewer is given to draw.

Apart from what makes it, so that a process that only draws need not import Crystal Toolkit for seconds.
"""

from dataclasses import dataclass

from polyfacet.config.images import View

# The viewer replaces the scene it shows by name; a second name would be drawn on top of the first.
SCENE_NAME = "crystal"


class SceneError(ValueError):
    """A crystal of which no faithful scene can be made; the message is the reason."""


@dataclass(frozen=True)
class CrystalScene:
    """What the viewer draws of one crystal.

    Attributes
    ----------
    views
        View to the scene that shows it, in Crystal Toolkit's JSON; lengths in A.
    n_bonds
        Number of bonds per unit cell.
    bonding_failure
        Why there are no bonds, where they were asked for: CrystalNN found none, or failed.
    """

    views: dict[View, str]
    n_bonds: int
    bonding_failure: str | None = None
