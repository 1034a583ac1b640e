"""Largest cell of each stage: a larger one would exhaust the memory and end the job of all other materials.

docs/scaling.md explains the limits.
"""

from typing import Literal, get_args

from polyfacet.config.sample import MaxSites

Stage = Literal["structures", "graphs", "images", "texts"]

# The defaults of `max_sites` in the configuration.
MAX_SITES: dict[Stage, int] = {stage: getattr(MaxSites(), stage) for stage in get_args(Stage)}


class CellTooLargeError(ValueError):
    """A cell with more sites than a stage accepts; the message is the reason."""


def check_cell_size(n_sites: int, limit: int, stage: Stage) -> None:
    """Reject a cell that is too large for a stage.

    Parameters
    ----------
    n_sites
        Number of sites in the cell.
    limit
        Largest number of sites that the stage accepts.
    stage
        Key of the stage in ``max_sites`` of the configuration, for the message.

    Raises
    ------
    CellTooLargeError
        If ``n_sites`` is above the limit.
    """
    if n_sites > limit:
        raise CellTooLargeError(f"the cell has {n_sites} sites, more than max_sites.{stage} allows ({limit})")
