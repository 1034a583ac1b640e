"""Materials outside the sample that show what a split holds out: nothing may be pretrained on them."""

import pandas as pd

from polyfacet.splits.methods import SplitMethod, SplitSettings
from polyfacet.splits.parts import TRAIN


def of_held_out(
    sampled: pd.DataFrame, others: pd.DataFrame, method: SplitMethod, settings: SplitSettings
) -> set[str] | None:
    """Find the materials outside the sample that are of the kind that the split holds out.

    Parameters
    ----------
    sampled
        Materials of the sample, as `split_materials` receives them, and their ``part``.
    others
        Materials outside the sample, with the same columns except ``part``.
    method, settings
        Method of the split, and its settings.

    Returns
    -------
    set of str or None
        Identifiers of materials whose group is in the validation or test part, or that `SplitMethod.reveals`
        names.  None if that is unknown: the method chooses its parts in another way, or by values that
        materials outside the sample do not have.
    """
    if method.reveals is not None:
        found = method.reveals(sampled, others, settings)
        return None if found is None else set(found)
    if method.assign is not None or method.held_out is not None:
        return None
    held_out = sampled[sampled["part"] != TRAIN]
    groups = method.group(pd.concat([held_out, others], ignore_index=True), settings)
    known = {groups[mat_id] for mat_id in held_out["mat_id"]}
    return {mat_id for mat_id in others["mat_id"] if groups[mat_id] in known}
