"""The structure of a material: lattice and sites, checked and normalized."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pymatgen.core.periodic_table import Element

from polyfacet.sources.values import InvalidEntryError, mapping, number, shown, vector

# Full occupants by element; nearly every site has one.
WHOLE_ATOMS = {element.symbol: {"element": element.symbol, "occu": 1.0} for element in Element}
# Isotopes are the same element in every facet, as in pymatgen.
ISOTOPES = {"D": "H", "T": "H"}
# Their symbols in a formula.
HEAVY_HYDROGEN = re.compile(r"[DT](?![a-z])")
# A species as pymatgen writes it: an element, its oxidation state (`Fe2+`), its spin (`Fe2+,spin=5`).
SPECIES = re.compile(r"(?P<symbol>[A-Z][a-z]?)(\d*\.?\d*[+-])?(,?spin=-?\d+(\.\d+)?)?")
MIN_VOLUME_A3 = 0.1
# Sums of a vector's absolute components that no crystal reaches; far beyond, neighbour searches never finish.
MAX_LATTICE_A = 1e4
MAX_FRACTIONAL = 1e3
# Occupancies are often rounded to three digits (three times 0.333): within this of 1, a site is full.
OCCUPANCY_TOLERANCE = 1e-3
# Several occupancies with two digits (three times 0.33) or more may each be off by half of the last one.  A
# single occupancy is not rounded to 0.99, and shares with one digit are taken literally: 0.5 and 0.4 leave a
# tenth of a site empty.
MOST_DIGITS = 4
# A smaller share of a site is rounding noise.
NO_SHARE = 1e-6


def lattice_matrix(structure: Mapping[str, Any]) -> list[list[float]]:
    """Return the lattice vectors of a structure, A.

    Raises
    ------
    InvalidEntryError
        If they are missing, or the crystal is not periodic along all of them.
    """
    lattice = mapping(structure.get("lattice"), "lattice")
    rows = lattice.get("matrix")
    if not isinstance(rows, list) or len(rows) != 3:
        raise InvalidEntryError("lattice has no 3 x 3 matrix")
    _check_periodic(lattice.get("pbc"))
    return [vector(row, MAX_LATTICE_A, "lattice vector") for row in rows]


def cell_volume(matrix: list[list[float]]) -> float:
    """Return the volume of a cell, A^3.

    Raises
    ------
    InvalidEntryError
        If the vectors are coplanar, or nearly so.
    """
    (a, b, c), (d, e, f), (g, h, i) = matrix
    volume = abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
    if not math.isfinite(volume) or volume < MIN_VOLUME_A3:
        raise InvalidEntryError(f"cell volume is {volume:.3g} A^3")
    return volume


@dataclass(frozen=True)
class EntrySites:
    """The sites of a structure.

    Attributes
    ----------
    sites
        For each site, its elements with occupancies, and its fractional coordinates.
    added
        Symbol to atoms per cell that were added to sites that only rounding kept from being full.
    """

    sites: list[dict[str, Any]]
    added: Mapping[str, float]


def entry_sites(structure: Mapping[str, Any]) -> EntrySites:
    """Check the sites of a structure and normalize them.

    Oxidation states and isotopes are dropped, so that each element is on a site only once.  A site whose
    occupancies add up to 1 within their rounding is full, and they are scaled to add up to exactly 1.  The
    tolerance is ``OCCUPANCY_TOLERANCE``, or half of the last digit for each of several occupancies with two
    to four digits.  Site properties (moments, forces) are not an input of any facet.

    Raises
    ------
    InvalidEntryError
        If there are no sites, or one is invalid.
    """
    sites = structure.get("sites")
    if not isinstance(sites, list) or not sites:
        raise InvalidEntryError("structure has no sites")
    added: dict[str, float] = {}
    return EntrySites([_site(site, index, added) for index, site in enumerate(sites)], added)


def element_of(species: str) -> str | None:
    """Return the element symbol of a species or an isotope; None if the text does not name one."""
    name = SPECIES.fullmatch(species.strip())
    symbol = ISOTOPES.get(name["symbol"], name["symbol"]) if name else None
    return symbol if symbol in WHOLE_ATOMS else None


def atoms_by_element(sites: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Count the atoms of a cell by element; a half-occupied site counts as half an atom."""
    amounts: dict[str, float] = {}
    for site in sites:
        for occupant in site["species"]:
            amounts[occupant["element"]] = amounts.get(occupant["element"], 0.0) + occupant["occu"]
    return amounts


def structure_json(matrix: list[list[float]], sites: list[dict[str, Any]]) -> str:
    """Write a structure as JSON that pymatgen reads."""
    structure = {
        "@module": "pymatgen.core.structure",
        "@class": "Structure",
        "lattice": {"matrix": matrix},
        "sites": sites,
    }
    return orjson.dumps(structure).decode()


def _check_periodic(pbc: Any) -> None:
    if pbc is None or pbc == [True, True, True]:
        return
    if not isinstance(pbc, list) or len(pbc) != 3 or not all(flag in (True, False) for flag in pbc):
        raise InvalidEntryError(f"lattice.pbc is {shown(pbc)}, not a list of three booleans")
    flags = ", ".join("true" if flag else "false" for flag in pbc)
    raise InvalidEntryError(
        f"lattice.pbc is [{flags}], but CIF files, neighbours and lattice sums are periodic along all three "
        "lattice vectors: add vacuum between the images of the cell and set pbc to true"
    )


def _site(site: Any, index: int, added: dict[str, float]) -> dict[str, Any]:
    species = mapping(site, "site ", index).get("species")
    if not isinstance(species, list) or not species:
        raise InvalidEntryError(f"site {index} has no list of species")
    occupants = [_occupant(occupant, index) for occupant in species]
    if len(occupants) > 1 or occupants[0]["occu"] != 1.0:
        occupants = _shares(occupants, index, added)
    return {
        "species": occupants,
        "abc": vector(site.get("abc"), MAX_FRACTIONAL, "coordinates of site ", index),
    }


def _occupant(occupant: Any, index: int) -> dict[str, Any]:
    if isinstance(occupant, str):
        return WHOLE_ATOMS[_element(occupant, index)]
    element = mapping(occupant, "species of site ", index).get("element")
    whole = WHOLE_ATOMS.get(element) if isinstance(element, str) else None
    if whole is None:
        whole = WHOLE_ATOMS[_element(element, index)]
    occupancy = occupant.get("occu", 1)
    if type(occupancy) is int and occupancy == 1:
        return whole
    return {"element": whole["element"], "occu": number(occupancy, "occupancy of site ", index)}


def _element(name: Any, index: int) -> str:
    symbol = element_of(name) if isinstance(name, str) else None
    if symbol is None:
        raise InvalidEntryError(f"unknown element {shown(name)} at site {index}")
    return symbol


def _shares(occupants: list[dict[str, Any]], index: int, added: dict[str, float]) -> list[dict[str, Any]]:
    """Add up the shares of each element on a site, and fill it if only rounding keeps it from being full."""
    if any(occupant["occu"] < -NO_SHARE for occupant in occupants):
        raise InvalidEntryError(f"an occupancy of site {index} is negative")
    shares: dict[str, float] = {}
    for occupant in occupants:
        shares[occupant["element"]] = shares.get(occupant["element"], 0.0) + occupant["occu"]
    shares = {element: share for element, share in shares.items() if share > NO_SHARE}
    if not shares:
        raise InvalidEntryError(f"site {index} is empty: its occupancies are 0")
    total = sum(shares.values())
    # Three times 0.333 is within the tolerance, whatever the last bits are.
    excess = round(total - 1, 9)
    within = _rounding([occupant["occu"] for occupant in occupants])
    if excess > within:
        raise InvalidEntryError(f"the occupancies of site {index} add up to {total:.6g}, more than 1")
    if excess < -within:
        return [{"element": element, "occu": share} for element, share in shares.items()]
    for element, share in shares.items():
        added[element] = added.get(element, 0.0) + share / total - share
    if len(shares) == 1:
        return [WHOLE_ATOMS[element] for element in shares]
    return [{"element": element, "occu": share / total} for element, share in shares.items()]


def _rounding(occupancies: list[float]) -> float:
    """Return how far from 1 the sum of a full site's stated occupancies may be."""
    stated = [occupancy for occupancy in occupancies if occupancy > NO_SHARE]
    digits = next((n for n in range(1, MOST_DIGITS + 1) if _have_digits(stated, n)), None)
    if len(stated) < 2 or digits is None or digits == 1:
        return OCCUPANCY_TOLERANCE
    return max(OCCUPANCY_TOLERANCE, round(len(stated) * 0.5 * 10**-digits, 9))


def _have_digits(values: list[float], n: int) -> bool:
    return all(abs(value - round(value, n)) < 1e-6 for value in values)
