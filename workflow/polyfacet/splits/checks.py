"""Check the result of a split method: one group per material, and no group divided."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from polyfacet.runtime.errors import UserError


def check_groups(groups: Mapping[str, Any], mat_ids: Iterable[str], method: str) -> None:
    """Reject groups that do not assign one string to every material.

    Parameters
    ----------
    groups
        mat_id to group, as returned by the method.
    mat_ids
        The materials of the sample.
    method
        Name of the method.

    Raises
    ------
    UserError
        If a material has no group and would vanish from the run, or a group belongs to no material or is not
        a string.
    """
    known = dict.fromkeys(mat_ids)
    missing = [mat_id for mat_id in known if mat_id not in groups]
    if missing:
        raise UserError(
            f"the split {method!r} assigns no group to {missing[0]}{_others(missing)}. Its `group` "
            "must include every material."
        )
    unknown = [mat_id for mat_id in groups if mat_id not in known]
    if unknown:
        raise UserError(
            f"the split {method!r} assigns a group to {unknown[0]!r}{_others(unknown)}, not in the sample. "
            "Its `group` must include only the materials that it receives."
        )
    strange = [mat_id for mat_id, group in groups.items() if not isinstance(group, str)]
    if strange:
        group = groups[strange[0]]
        raise UserError(
            f"the split {method!r} assigns {strange[0]} to the group {group!r}, which is "
            f"{type(group).__name__}, not str."
        )


def check_groups_are_whole(parts: Mapping[str, str], groups: Mapping[str, str], method: str) -> None:
    """Reject parts that divide a group.

    Parameters
    ----------
    parts, groups
        mat_id to part, and to group.
    method
        Name of the method that returned both.

    Raises
    ------
    UserError
        If a group is divided; the message names it, and one of its materials in each part.
    """
    divided = _divided(parts, groups)
    if divided.empty:
        return
    group = str(divided["group"].iloc[0])
    own = divided[divided["group"] == group].drop_duplicates("part")
    shown = ", ".join(f"{mat_id} in {part}" for mat_id, part in own["part"].items())
    names = list(divided["group"].unique())
    raise UserError(
        f"the split {method!r} divides the group {group!r}{_others(names)}: {shown}. Let its `assign` "
        "put each group into one part, or its `group` join only materials that must not be divided."
    )


def check_twins_are_whole(
    parts: Mapping[str, str], twins: Mapping[str, str], method: str, advice: str
) -> None:
    """Reject parts that divide twins.

    Parameters
    ----------
    parts, twins
        mat_id to part, and to the name of its twins.
    method
        Name of the method that returned the parts.
    advice
        What to do if it divides twins.

    Raises
    ------
    UserError
        If twins are divided; the message names those of the first group.
    """
    divided = _divided(parts, twins)
    if not divided.empty:
        names = list(divided["group"].unique())
        own = divided.index[divided["group"] == names[0]]
        raise UserError(
            f"the split {method!r} divides twins, the same crystal under several identifiers: "
            f"{', '.join(own)}{_others(names, 'group')}. {advice}"
        )


def _divided(parts: Mapping[str, str], groups: Mapping[str, str]) -> pd.DataFrame:
    """Select the materials of divided groups, ordered by group and mat_id."""
    frame = pd.DataFrame({"group": pd.Series(dict(groups), dtype=object), "part": pd.Series(dict(parts))})
    shared = frame.dropna()
    # Most groups have one material.
    shared = shared[shared["group"].duplicated(keep=False)]
    divided = shared[shared.groupby("group")["part"].transform("nunique") > 1]
    return divided.sort_index().sort_values("group", kind="stable")


def _others(names: list[str], kind: str = "") -> str:
    """Count the remaining names of a list after the first, and say what they name."""
    n = len(names) - 1
    what = f"other {kind}" if kind else "other"
    return f" and {n} {what}{'s' if n > 1 else ''}" if n else ""
