"""Groups of equal compositions, joined with those of a split, for divisions inside its training part."""

from collections.abc import Mapping

import pandas as pd

from polyfacet.materials.disordered_compositions import disordered_groups
from polyfacet.splits.grouping import with_twins


def groups_by_composition(materials: pd.DataFrame, groups: Mapping[str, str]) -> dict[str, str]:
    """Group materials by composition, and by the groups of a split.

    Parameters
    ----------
    materials
        ``mat_id`` and ``formula``; ``n_sites`` for crystals, whose occupancies may be rounded.
    groups
        mat_id to the group of the split, as far as there is one.

    Returns
    -------
    dict
        mat_id to group.
    """
    formulas = dict(zip(materials["mat_id"], materials["formula"], strict=True))
    if "n_sites" not in materials:
        return with_twins(formulas, groups)
    n_sites = dict(zip(materials["mat_id"], materials["n_sites"], strict=True))
    return with_twins(disordered_groups(formulas, n_sites), groups)
