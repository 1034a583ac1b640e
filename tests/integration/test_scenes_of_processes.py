"""Scenes do not depend on the process that computes them."""

import os
import subprocess
import sys

from project import PROJECT

PRINT_SCENES = """
import sys
sys.path.insert(0, sys.argv[1])
from pymatgen.core import Lattice, Structure
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
ballast = [object() for _ in range(int(sys.argv[2]))]  # other memory addresses
for group, a, pair, x in ("Fm-3m", 6, "Na Cl", 0.5), ("F-43m", 6, "Ga As", 0.25), ("Pm-3m", 4, "Cs Cl", 0.5):
    crystal = Structure.from_spacegroup(group, Lattice.cubic(a), pair.split(), [[0, 0, 0], [x, x, x]])
    print(*crystal_scene(crystal, RenderSettings()).views.values())
"""


def test_scenes_are_the_same_in_every_process():
    """The critical case is neighbours at equal distances, as nearly all are here."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PRINT_SCENES, str(PROJECT / "workflow"), str(ballast)],
            env={**os.environ, "PYTHONHASHSEED": str(ballast)},
            capture_output=True,
            check=True,
        ).stdout
        for ballast in (0, 12345)
    ]
    assert outputs[0].count(b"\n") == 3
    assert outputs[0] == outputs[1]
