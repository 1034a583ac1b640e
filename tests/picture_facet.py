"""A plug-in facet of pictures: the shape of the cell as three grey bars."""

import numpy as np
from PIL import Image
from pymatgen.core import Structure

from polyfacet.facets.declaration import Facet


def bars(structure: Structure) -> Image.Image:
    """Draw one bar per lattice vector, as long as the vector (2 pixels per angstrom)."""
    pixels = np.full((30, 40), 255, dtype=np.uint8)
    for number, length in enumerate(structure.lattice.abc):
        pixels[10 * number : 10 * number + 8, : max(1, round(2 * length))] = 80 * number
    return Image.fromarray(pixels)


LATTICE = Facet("lattice", "shape of the cell", "image", needs="structure", make=bars)
