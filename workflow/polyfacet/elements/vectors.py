"""Vectors of the elements, learned from the materials literature."""

from functools import cache

import numpy as np
from matminer.utils.data import MatscholarElementData
from numpy.typing import NDArray
from pymatgen.core import Element

from polyfacet.elements.symbols import ELEMENTS

N_VECTOR = 200


@cache
def matscholar_vectors() -> NDArray[np.float32]:
    """Return the Matscholar vectors of ``ELEMENTS``, standardised, shape ``(118, 200)``.

    They are word vectors of 3.3 million abstracts (Tshitoyan et al., "Unsupervised word embeddings capture
    latent knowledge from materials science literature", Nature 571, 95 (2019)), as matminer ships them
    (modified BSD licence).  Elements without one have the mean of the others.
    """
    data = MatscholarElementData(impute_nan=True)
    known = np.array(
        [
            [data.get_elemental_property(Element(symbol), name) for name in data.prop_names]
            for symbol in ELEMENTS
        ]
    )
    scaled: NDArray[np.float32] = ((known - known.mean(axis=0)) / known.std(axis=0)).astype(np.float32)
    return scaled
