"""Division of the training part: materials to train on, and materials that choose the epoch."""

from collections.abc import Mapping

from polyfacet.runtime.errors import UserError
from polyfacet.splits.parts import divide

MIN_TRAINED_ON = 5


class NothingToLearnError(Exception):
    """A network cannot learn from the materials: too few, or no property varies; the message says which."""


def hold_out(
    groups: Mapping[str, str], fraction: float, seed: int, *, purpose: str, what: str, fewest: int
) -> tuple[list[str], list[str]]:
    """Divide materials of the training part; no group is divided.

    Polymorphs of materials trained on would hide overfitting.

    Parameters
    ----------
    groups
        mat_id to group (the same for at least all materials of one formula).
    fraction
        Share of the materials that choose the epoch.
    seed
        Seed of the choice.
    purpose
        Part of the key of the choice: trainings with other purposes hold out other materials.
    what
        What the materials have, for messages ("a graph").
    fewest
        Fewest materials to divide.

    Returns
    -------
    tuple of list of str
        Identifiers of the materials to train on and of those that choose the epoch, in alphabetical order.

    Raises
    ------
    NothingToLearnError
        If either has too few materials.
    """
    if len(groups) < fewest:
        raise NothingToLearnError(
            f"there are {len(groups)} training materials with {what}, and training needs {fewest}"
        )
    try:
        training, validation = divide(groups, 1 - fraction, purpose, seed)
    except UserError as error:
        raise NothingToLearnError(
            "the training materials have too few formulas to hold any out for validation"
        ) from error
    if len(training) < MIN_TRAINED_ON:
        raise NothingToLearnError(
            f"splitting {len(groups)} training materials by formula leaves {len(training)} to train on, and "
            f"training needs {MIN_TRAINED_ON}"
        )
    return sorted(training), sorted(validation)
