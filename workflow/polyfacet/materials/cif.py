"""Structures as CIF files: written in P1 as given, read without moving a site."""

import warnings
from pathlib import Path

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser, CifWriter

from polyfacet.materials.handedness import right_handed
from polyfacet.materials.neighbour_search import inside, least_radius, pairs_within
from polyfacet.materials.spacing import SpacingError, spaced_lattice

# Ten digits keep coordinates to 1e-9 A, well within the symmetry tolerance of every later tool.
SIGNIFICANT_FIGURES = 10
SAME_LATTICE = 1e-4
SAME_SITE_A = 1e-3
# Readers merge sites that are closer.
MIN_DISTANCE_A = 0.01


class CifError(ValueError):
    """A CIF that does not reproduce its structure; the message is the reason."""


def read_cif(path: Path) -> Structure:
    """Read a structure exactly as written in the file.

    Unlike the parser's default, coordinates near fractions such as 1/3 are not rounded to them: in a cell
    with a long axis the default moves such a site by more than 0.001 A.

    Raises
    ------
    CifError
        If the file is missing or does not contain a readable structure.
    """
    if not path.is_file():
        raise CifError(f"the structure file {path.name} is missing")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return CifParser(path, frac_tolerance=0.0).parse_structures(primitive=False)[0]
        except (ValueError, TypeError, KeyError, IndexError, AssertionError, ArithmeticError) as error:
            # The parser's last warning sums up all others and says what is wrong with the structure.
            summary = [str(warning.message) for warning in caught if warning.category is UserWarning][-1:]
            reason = "; ".join([str(error), *summary]).replace("\n", " ")
            raise CifError(f"CIF cannot be read: {path.name}: {reason}") from error


def write_cif(structure: Structure, path: Path) -> None:
    """Write a structure and check that it reads back unchanged.

    A left-handed basis is written as a right-handed one, so that the crystal is not replaced by its mirror
    image.

    Raises
    ------
    CifError
        If it does not read back unchanged; the file is then removed.
    """
    structure = right_handed(structure)
    _check_spacing(structure)
    with warnings.catch_warnings():
        # The formula is sorted by electronegativity, which noble gases lack.
        warnings.filterwarnings("ignore", "No Pauling electronegativity", UserWarning)
        CifWriter(structure, significant_figures=SIGNIFICANT_FIGURES).write_file(path)
    try:
        _check_same(structure, read_cif(path))
    except CifError:
        path.unlink()
        raise


def _check_spacing(structure: Structure) -> None:
    """Reject cells in which neighbour searches never finish."""
    try:
        lattice = spaced_lattice(structure.lattice.matrix, len(structure))
    except SpacingError as error:
        raise CifError(str(error)) from error
    radius = max(MIN_DISTANCE_A, least_radius(structure.volume))
    *_, distances = pairs_within(lattice, inside(lattice, structure.cart_coords), radius)
    if len(distances) and distances.min() < MIN_DISTANCE_A:
        raise CifError(f"two sites are closer than {MIN_DISTANCE_A} A")


def _check_same(structure: Structure, read: Structure) -> None:
    if len(read) != len(structure):
        raise CifError(f"CIF reads back with {len(read)} sites, not {len(structure)}")
    if not np.allclose(structure.lattice.parameters, read.lattice.parameters, atol=SAME_LATTICE):
        raise CifError("CIF reads back with a different lattice")
    for site in structure:
        apart = read.frac_coords - site.frac_coords
        distances = np.linalg.norm((apart - np.round(apart)) @ read.lattice.matrix, axis=1)
        near = np.flatnonzero(distances < SAME_SITE_A)
        if all(read[int(other)].species != site.species for other in near):
            raise CifError(f"CIF reads back without {site.species_string} at {np.round(site.frac_coords, 4)}")
