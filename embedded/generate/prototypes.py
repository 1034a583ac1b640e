"""Crystal prototypes as space groups with one Wyckoff position per site kind.

The Wyckoff positions are those of the International Tables for Crystallography, Vol. A; the prototypes are
described in the AFLOW Library of Crystallographic Prototypes (Mehl et al., Comput. Mater. Sci. 136,
S1, 2017).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.spacegroup import crystal

Position = tuple[float, float, float]

THIRD = 1 / 3
TWO_THIRDS = 2 / 3
#: Box around a molecule in Angstrom; unequal edges avoid imposing symmetry on the molecule.
BOX = (6.5, 7.0, 7.5)


@dataclass(frozen=True)
class Prototype:
    """A prototype: the occupied Wyckoff positions of a space group.

    Parameters
    ----------
    space_group : int
        Number of the space group.
    positions : callable
        Maps the internal parameters (dimensionless) onto one fractional position per site kind.
    system : str
        "cubic", "hexagonal" (hexagonal axes, also for trigonal groups), "tetragonal" or "orthorhombic".
    setting : int
        Origin choice of the space group.
    relaxed : str
        "cell" relaxes cell and positions, "volume" the positions and the volume at fixed shape,
        "positions" only the positions, "none" nothing.
    """

    space_group: int
    positions: Callable[..., Sequence[Position]]
    system: str = "cubic"
    setting: int = 1
    relaxed: str = "cell"

    def build(self, sites: Sequence[str], lattice: Sequence[float], internal: Sequence[float]) -> Atoms:
        """Build the primitive cell.

        Parameters
        ----------
        sites : sequence of str
            Element symbols, one per site kind.
        lattice : sequence of float
            Lattice constants of the conventional cell in Angstrom: a, then b and c if they are free.
        internal : sequence of float
            Internal parameters, fractional.

        Returns
        -------
        Atoms
            The primitive cell, periodic in three dimensions.

        Raises
        ------
        ValueError
            When the number of sites or lattice constants does not fit the prototype.
        """
        positions = self.positions(*internal)
        if len(positions) != len(sites):
            raise ValueError(f"{len(sites)} elements for {len(positions)} Wyckoff positions: {sites}")
        return crystal(
            list(sites),
            list(positions),
            spacegroup=self.space_group,
            setting=self.setting,
            cellpar=_cell_parameters(self.system, lattice),
            primitive_cell=True,
        )


def _cell_parameters(system: str, lattice: Sequence[float]) -> list[float]:
    shapes = {"cubic": 1, "hexagonal": 2, "tetragonal": 2, "orthorhombic": 3}
    if len(lattice) != shapes[system]:
        raise ValueError(f"a {system} prototype takes {shapes[system]} lattice constants, not {len(lattice)}")
    if system == "orthorhombic":
        return [*lattice, 90, 90, 90]
    gamma = 120 if system == "hexagonal" else 90
    return [lattice[0], lattice[0], lattice[-1], 90, 90, gamma]


def dimer(symbol: str, bond_length: float) -> Atoms:
    """Put a homonuclear diatomic molecule into a periodic box.

    Parameters
    ----------
    symbol : str
        Element.
    bond_length : float
        Bond length in Angstrom; the box grows with it.

    Returns
    -------
    Atoms
        Two atoms along the long edge of the box.
    """
    box = np.array(BOX) + np.array([0.0, 0.0, bond_length])
    atoms = Atoms(symbol * 2, positions=[(0, 0, 0), (0, 0, bond_length)], cell=box, pbc=True)
    atoms.center()
    return atoms


PROTOTYPES = {
    # elements
    "fcc": Prototype(225, lambda: [(0, 0, 0)]),
    "bcc": Prototype(229, lambda: [(0, 0, 0)]),
    "sc": Prototype(221, lambda: [(0, 0, 0)]),
    "hcp": Prototype(194, lambda: [(THIRD, TWO_THIRDS, 0.25)], "hexagonal", relaxed="volume"),
    "diamond": Prototype(227, lambda: [(0, 0, 0)]),
    "bct": Prototype(139, lambda: [(0, 0, 0)], "tetragonal", relaxed="volume"),
    "beta_tin": Prototype(141, lambda: [(0, 0, 0)], "tetragonal", relaxed="volume"),
    "graphite": Prototype(
        194, lambda: [(0, 0, 0.25), (THIRD, TWO_THIRDS, 0.25)], "hexagonal", relaxed="none"
    ),
    "arsenic": Prototype(166, lambda z: [(0, 0, z)], "hexagonal", relaxed="volume"),
    "selenium": Prototype(152, lambda x: [(x, 0, THIRD)], "hexagonal", relaxed="positions"),
    "gallium": Prototype(64, lambda y, z: [(0, y, z)], "orthorhombic", relaxed="volume"),
    "black_phosphorus": Prototype(64, lambda y, z: [(0, y, z)], "orthorhombic", relaxed="positions"),
    "alpha_boron": Prototype(
        166, lambda x1, z1, x2, z2: [(x1, -x1, z1), (x2, -x2, z2)], "hexagonal", relaxed="positions"
    ),
    # AB
    "rock_salt": Prototype(225, lambda: [(0, 0, 0), (0.5, 0.5, 0.5)]),
    "caesium_chloride": Prototype(221, lambda: [(0, 0, 0), (0.5, 0.5, 0.5)]),
    "zinc_blende": Prototype(216, lambda: [(0, 0, 0), (0.25, 0.25, 0.25)]),
    "wurtzite": Prototype(186, lambda u: [(THIRD, TWO_THIRDS, 0), (THIRD, TWO_THIRDS, u)], "hexagonal"),
    "nickeline": Prototype(194, lambda: [(0, 0, 0), (THIRD, TWO_THIRDS, 0.25)], "hexagonal"),
    "tungsten_carbide": Prototype(187, lambda: [(0, 0, 0), (THIRD, TWO_THIRDS, 0.5)], "hexagonal"),
    "hexagonal_bn": Prototype(
        194, lambda: [(THIRD, TWO_THIRDS, 0.25), (THIRD, TWO_THIRDS, 0.75)], "hexagonal", relaxed="none"
    ),
    "gold_copper": Prototype(123, lambda: [(0, 0, 0), (0.5, 0.5, 0.5)], "tetragonal"),
    "litharge": Prototype(129, lambda z: [(0, 0.5, z), (0, 0, 0)], "tetragonal"),
    # AB2, A2B
    "fluorite": Prototype(225, lambda: [(0, 0, 0), (0.25, 0.25, 0.25)]),
    "rutile": Prototype(136, lambda u: [(0, 0, 0), (u, u, 0)], "tetragonal"),
    "cadmium_iodide": Prototype(164, lambda z: [(0, 0, 0), (THIRD, TWO_THIRDS, z)], "hexagonal"),
    "aluminium_diboride": Prototype(191, lambda: [(0, 0, 0), (THIRD, TWO_THIRDS, 0.5)], "hexagonal"),
    "cuprite": Prototype(224, lambda: [(0, 0, 0), (0.25, 0.25, 0.25)], setting=2),
    "calcium_carbide": Prototype(139, lambda z: [(0, 0, 0), (0, 0, z)], "tetragonal"),
    "pyrite": Prototype(205, lambda x: [(0, 0, 0), (x, x, x)]),
    # AB3, A3B2
    "gold_tricopper": Prototype(221, lambda: [(0, 0, 0), (0, 0.5, 0.5)]),
    "bismuth_trifluoride": Prototype(225, lambda: [(0, 0, 0), (0.25, 0.25, 0.25), (0.5, 0.5, 0.5)]),
    "rhenium_trioxide": Prototype(221, lambda: [(0, 0, 0), (0.5, 0, 0)]),
    "lanthana": Prototype(
        164, lambda z1, z2: [(0, 0, 0), (THIRD, TWO_THIRDS, z1), (THIRD, TWO_THIRDS, z2)], "hexagonal"
    ),
    # ternaries
    "half_heusler": Prototype(216, lambda: [(0, 0, 0), (0.25, 0.25, 0.25), (0.5, 0.5, 0.5)]),
    "heusler": Prototype(225, lambda: [(0.25, 0.25, 0.25), (0, 0, 0), (0.5, 0.5, 0.5)]),
    "perovskite": Prototype(221, lambda: [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)]),
    "matlockite": Prototype(129, lambda z1, z2: [(0, 0.5, z1), (0, 0, 0), (0, 0.5, z2)], "tetragonal"),
    "alpha_sodium_ferrite": Prototype(166, lambda z: [(0, 0, 0), (0, 0, 0.5), (0, 0, z)], "hexagonal"),
    "delafossite": Prototype(166, lambda z: [(0, 0, 0), (0, 0, 0.5), (0, 0, z)], "hexagonal"),
    "chalcopyrite": Prototype(122, lambda x: [(0, 0, 0), (0, 0, 0.5), (x, 0.25, 0.125)], "tetragonal"),
    "calcium_dialuminide_disilicide": Prototype(
        164, lambda z1, z2: [(0, 0, 0), (THIRD, TWO_THIRDS, z1), (THIRD, TWO_THIRDS, z2)], "hexagonal"
    ),
    "thorium_dichromide_disilicide": Prototype(
        139, lambda z: [(0, 0, 0), (0, 0.5, 0.25), (0, 0, z)], "tetragonal"
    ),
    "potassium_hexachloroplatinate": Prototype(225, lambda x: [(0.25, 0.25, 0.25), (0, 0, 0), (x, 0, 0)]),
}
