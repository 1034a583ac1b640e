"""The embedding of a crystal by CHGNet, a potential that was pretrained on the Materials Project.

Deng et al., "CHGNet as a pretrained universal neural network potential for charge-informed atomistic
modelling", Nature Machine Intelligence 5, 1031 (2023).
"""

import io
import math
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import chgnet
import numpy as np
import torch
from chgnet.model.model import CHGNet
from pymatgen.core import Element, Lattice, Structure

from polyfacet.facets.declaration import FacetError
from polyfacet.materials.crystal import (
    Crystal,
    crystal_from_structure,
    periodic_neighbours,
    primitive_crystal,
)
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.machine_failures import raise_machine_failure

# Inside the package; trained on energies of the functional PBE, with a Hubbard U for some elements.
WEIGHTS = Path(chgnet.__file__).parent / "pretrained" / "0.3.0" / "chgnet_0.3.0_e29f68s314m37.pth.tar"
# Its network knows the elements up to plutonium.
HIGHEST_NUMBER = 94
# Each atom has about a hundred neighbours within 6 A, and as many angles.
MAX_SITES = 1_000
# Longest bond of which it looks at angles.
BOND_A = 3.0
# Ten to twenty thousand angles take a second; a thousand atoms of diamond have 300,000.
MAX_ANGLES = 500_000


class _Cell(Structure):
    """A structure that is not written to the working folder if CHGNet finds a fault in its graph."""

    def to(self, *_args: Any, **_options: Any) -> str:
        return ""


def chgnet_embedding(structure: Structure) -> list[float]:
    """Return 128 numbers: means over the atoms of what the network knows of each.

    The first 64 are those from which it computes the energy, the others those before the last convolution,
    from which it computes magnetic moments.

    Raises
    ------
    FacetError
        If a site is shared or partially occupied, atoms coincide, an atom has no neighbour within 6 A, the
        network does not know an element, or the primitive cell is too large or too dense.
    """
    try:
        crystal = primitive_crystal(crystal_from_structure(structure))
        _check(crystal)
        with one_thread(), torch.no_grad():
            return _embedding(_cell(crystal))
    except (ValueError, RuntimeError) as error:
        raise_machine_failure(error)
        raise FacetError(f"CHGNet: {error}" if isinstance(error, RuntimeError) else str(error)) from error


def _check(crystal: Crystal) -> None:
    numbers = crystal.atomic_numbers
    if len(numbers) > MAX_SITES:
        raise FacetError(f"the primitive cell has {len(numbers)} atoms, more than {MAX_SITES}")
    if unknown := sorted({int(number) for number in numbers if number > HIGHEST_NUMBER}):
        raise FacetError(f"CHGNet does not know {', '.join(Element.from_Z(n).symbol for n in unknown)}")
    if (n_angles := _count_angles(crystal)) > MAX_ANGLES:
        raise FacetError(
            f"the primitive cell has about {n_angles:.1g} pairs of bonds below {BOND_A:g} A at an atom, "
            f"more than {MAX_ANGLES:,}: the atoms are too close to each other"
        )


def _count_angles(crystal: Crystal) -> float:
    """Count the ordered pairs of bonds at an atom; only estimated where a search would take too long."""
    bonds_of_mean_atom = len(crystal) / crystal.volume * 4 / 3 * math.pi * BOND_A**3
    if (estimate := len(crystal) * bonds_of_mean_atom**2) > MAX_ANGLES:
        return estimate
    centre, *_ = periodic_neighbours(crystal, BOND_A)
    return float((np.bincount(centre).astype(float) ** 2).sum())


def _cell(crystal: Crystal) -> Structure:
    species = [Element.from_Z(int(number)) for number in crystal.atomic_numbers]
    return _Cell(Lattice(crystal.lattice), species, crystal.cart_coords, coords_are_cartesian=True)


def _embedding(cell: Structure) -> list[float]:
    network = _network()
    outputs = network([network.graph_converter(cell)], return_atom_feas=True, return_crystal_feas=True)
    # The network adds up the features of the atoms, as their energies.
    of_energies = outputs["crystal_fea"][0] / len(cell)
    of_moments = outputs["atom_fea"][0].mean(dim=0)
    return torch.cat([of_energies, of_moments]).tolist()


@cache
def _network() -> CHGNet:
    # CHGNet's own function reads them as a pickle, which may run code.
    weights = torch.load(WEIGHTS, map_location="cpu", weights_only=True)
    with redirect_stdout(io.StringIO()):
        return CHGNet.from_dict(weights["model"]).eval()
