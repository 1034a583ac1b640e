"""Statistics of element properties over a composition, after Magpie."""

from functools import cache

import numpy as np
from matminer.featurizers.composition.composite import ElementProperty
from matminer.utils.data import MagpieData
from numpy.typing import NDArray
from pymatgen.core import Composition, Element

from polyfacet.materials.crystal import MAX_ATOMIC_NUMBER, Crystal

# Magpie's preset without the DFT band gap, moment and volume of each element: for a material of one element,
# these would nearly be the objective.
PROPERTIES = (
    "Number",
    "MendeleevNumber",
    "AtomicWeight",
    "MeltingT",
    "Column",
    "Row",
    "CovalentRadius",
    "Electronegativity",
    "NsValence",
    "NpValence",
    "NdValence",
    "NfValence",
    "NValence",
    "NsUnfilled",
    "NpUnfilled",
    "NdUnfilled",
    "NfUnfilled",
    "NUnfilled",
    "SpaceGroupNumber",
)
# Without the mode, which jumps where two elements are equally frequent.
STATISTICS = ("mean", "avg_dev", "minimum", "maximum", "range")
PM_PER_A = 100


def composition_descriptors(crystal: Crystal) -> dict[str, float]:
    """Return the number of elements, and statistics of their properties weighted by their amounts."""
    numbers, counts = np.unique(crystal.atomic_numbers, return_counts=True)
    composition = Composition(dict(zip(map(Element.from_Z, numbers.tolist()), counts.tolist(), strict=True)))
    featurizer = _featurizer()
    names = [label.removeprefix("MagpieData ") for label in featurizer.feature_labels()]
    values = map(float, featurizer.featurize(composition))
    return {"elements": float(len(numbers)), **dict(zip(names, values, strict=True))}


def covalent_radii(atomic_numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the covalent radii (Cordero) of atoms, A."""
    return _property("CovalentRadius")[atomic_numbers] / PM_PER_A


def electronegativities(atomic_numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the electronegativities (Pauling) of atoms."""
    return _property("Electronegativity")[atomic_numbers]


@cache
def _magpie() -> MagpieData:
    """Read Magpie's tables; the few gaps are filled with the mean over the elements."""
    return MagpieData(impute_nan=True)


@cache
def _featurizer() -> ElementProperty:
    # The tables have no gaps left.
    return ElementProperty(_magpie(), list(PROPERTIES), list(STATISTICS), impute_nan=False)


@cache
def _property(name: str) -> NDArray[np.float64]:
    """Return a property by atomic number, from 0, which no element has."""
    elements = map(Element.from_Z, range(1, MAX_ATOMIC_NUMBER + 1))
    return np.array([np.nan, *(_magpie().get_elemental_property(element, name) for element in elements)])
