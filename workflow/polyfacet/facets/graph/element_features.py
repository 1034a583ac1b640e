"""Features that describe an element to the network: the 92 one-hot features of CGCNN."""

from functools import cache

import torch
from jarvis.core.specie import get_node_attributes
from pymatgen.core import Element

from polyfacet.materials.crystal import MAX_ATOMIC_NUMBER

N_ELEMENT_FEATURES = 92


@cache
def element_feature_table() -> torch.Tensor:
    """Return the features of elements 1 to 100.

    Returns
    -------
    torch.Tensor
        Shape ``(101, 92)``, float32; row Z is element Z, row 0 is zero.  Group, period, electronegativity,
        covalent radius, valence electrons, ionisation energy, electron affinity, block and atomic volume,
        one-hot in bins (Xie and Grossman 2018, doi:10.1103/PhysRevLett.120.145301), as jarvis-tools ships
        them.  Some f elements share a row: La and Ce, Sm and Gd, Ho and Er, Th and Pa, Am and Cm, Bk to Fm.
    """
    table = torch.zeros(MAX_ATOMIC_NUMBER + 1, N_ELEMENT_FEATURES)
    for atomic_number in range(1, MAX_ATOMIC_NUMBER + 1):
        symbol = Element.from_Z(atomic_number).symbol
        table[atomic_number] = torch.tensor(get_node_attributes(symbol, atom_features="cgcnn"))
    return table
