"""Groups of materials whose errors are described: all, elements, crystal systems, sizes of the cell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from polyfacet.materials.crystal_systems import CRYSTAL_SYSTEMS
from polyfacet.materials.disordered_compositions import chemical_system

EVERYTHING, ELEMENT, CRYSTAL_SYSTEM, SIZE = ("all", "element", "crystal_system", "size")
# Largest number of sites of each size; that of the last is not limited.
SIZES = (4, 8, 16, 32, 64)


@dataclass(frozen=True)
class MaterialGroups:
    """Groups of the materials of a source, which may overlap.

    Attributes
    ----------
    kinds, names
        Kind and name of each group.
    members
        Which materials are in which group, 1 or 0, shape ``(materials, groups)``.
    """

    kinds: list[str]
    names: list[str]
    members: csr_array


def groups_of(sample: pd.DataFrame) -> MaterialGroups:
    """Group materials: all, by element and, if they are crystals, by crystal system and size.

    Parameters
    ----------
    sample
        ``formula``; for crystals also ``space_group`` and ``n_sites``.  Crystals whose space group is unknown
        are in no crystal system.
    """
    materials = sample.reset_index(drop=True)
    labels = {
        EVERYTHING: pd.Series(EVERYTHING, index=materials.index, dtype="category"),
        ELEMENT: _elements(materials["formula"]),
    }
    if "space_group" in materials:
        limits = [0, *CRYSTAL_SYSTEMS.values()]
        labels[CRYSTAL_SYSTEM] = pd.cut(
            materials["space_group"].astype(float), limits, labels=list(CRYSTAL_SYSTEMS)
        )
    if "n_sites" in materials:
        labels[SIZE] = pd.cut(materials["n_sites"], [0, *SIZES, np.inf], labels=_names_of_sizes())
    kinds: list[str] = []
    names: list[str] = []
    rows, columns = [], []
    for kind, of_materials in labels.items():
        known = of_materials.dropna().cat.remove_unused_categories()
        rows.append(known.index.to_numpy())
        columns.append(known.cat.codes.to_numpy(dtype=np.int64) + len(names))
        names += list(known.cat.categories)
        kinds += [kind] * len(known.cat.categories)
    at = np.concatenate(rows), np.concatenate(columns)
    members = csr_array((np.ones(len(at[0])), at), shape=(len(materials), len(names)))
    return MaterialGroups(kinds, names, members)


def _elements(formulas: pd.Series) -> pd.Series:
    """Return the elements of each material, one per row."""
    systems = {formula: chemical_system(formula).split("-") for formula in formulas.unique()}
    return formulas.map(systems).explode().astype("category")


def _names_of_sizes() -> list[str]:
    lowest = [1, *(limit + 1 for limit in SIZES)]
    names = [f"{low} to {high} sites" for low, high in zip(lowest, SIZES, strict=False)]
    return [*names, f"more than {SIZES[-1]} sites"]
