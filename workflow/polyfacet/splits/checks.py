"""Whether a way to split keeps what it promises: a group for each material, and no group divided."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from polyfacet.runtime.errors import UserError


def check_groups(groups: Mapping[str, Any], mat_ids: Iterable[str], method: str) -> None:
    """Refuse groups that are not those of the materials, one text each.

    Parameters
    ----------
    groups
        mat_id to group, as a method gave them.
    mat_ids
        The materials of the sample.
    method
        Name of the method.

    Raises
    ------
    UserError
        If a material has no group and would vanish from the run, a group is of no material, or is no text.
    """
    known = dict.fromkeys(mat_ids)
    missing = [mat_id for mat_id in known if mat_id not in groups]
    if missing:
        raise UserError(
            f"the split {method!r} gives {missing[0]} no group{_others(missing, 'neither')}. Its `group` "
            "must name every material."
        )
    unknown = [mat_id for mat_id in groups if mat_id not in known]
    if unknown:
        raise UserError(
            f"the split {method!r} gives {unknown[0]!r} a group{_others(unknown, 'as well')}: there is no "
            "such material in the sample. Its `group` must name the materials that it is given alone."
        )
    strange = [mat_id for mat_id, group in groups.items() if not isinstance(group, str)]
    if strange:
        group = groups[strange[0]]
        raise UserError(
            f"the split {method!r} gives {strange[0]} the group {group!r}, which is "
            f"{type(group).__name__} and not str."
        )


def check_groups_are_whole(parts: Mapping[str, str], groups: Mapping[str, str], method: str) -> None:
    """Refuse parts that divide a group.

    Parameters
    ----------
    parts, groups
        mat_id to part, and to group.
    method
        Name of the method that gave both.

    Raises
    ------
    UserError
        If they do; names a group, and a material of it in each part.
    """
    divided = _divided(parts, groups)
    if divided.empty:
        return
    group = str(divided["group"].iloc[0])
    own = divided[divided["group"] == group].drop_duplicates("part")
    shown = ", ".join(f"{mat_id} in {part}" for mat_id, part in own["part"].items())
    names = list(divided["group"].unique())
    raise UserError(
        f"the split {method!r} divides the group {group!r}{_others(names, 'as well')}: {shown}. Let its "
        "`assign` put a group into one part, or its `group` hold only what may not be divided."
    )


def check_twins_are_whole(parts: Mapping[str, str], twins: Mapping[str, str], method: str) -> None:
    """Refuse parts that divide twins.

    Parameters
    ----------
    parts, twins
        mat_id to part, and to the name of its twins.
    method
        Name of the method that gave the parts.

    Raises
    ------
    UserError
        If they do; names the twins.
    """
    divided = _divided(parts, twins)
    if not divided.empty:
        own = divided.index[divided["group"] == divided["group"].iloc[0]]
        raise UserError(
            f"the split {method!r} divides twins, the same crystal under several identifiers: "
            f"{', '.join(own)}. Move them to one part."
        )


def _divided(parts: Mapping[str, str], groups: Mapping[str, str]) -> pd.DataFrame:
    """Select the materials of groups that are in several parts, ordered by group and mat_id."""
    frame = pd.DataFrame({"group": pd.Series(dict(groups), dtype=object), "part": pd.Series(dict(parts))})
    shared = frame.dropna()
    # Most groups have one material.
    shared = shared[shared["group"].duplicated(keep=False)]
    divided = shared[shared.groupby("group")["part"].transform("nunique") > 1]
    return divided.sort_index().sort_values("group", kind="stable")


def _others(names: list[str], also: str) -> str:
    """Count the others of a list of which the first is named."""
    n = len(names) - 1
    return f", and {n} other{'s' if n > 1 else ''} {also}" if n else ""
