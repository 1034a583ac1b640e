"""How large a cell each stage takes: a larger one would use up the memory, and kill the job of all others.

docs/scaling.md says what the limits follow from.
"""

from typing import Literal, get_args

from polyfacet.config.sample import MaxSites

Stage = Literal["structures", "graphs", "images", "texts"]

# The defaults of `max_sites` in the configuration.
MAX_SITES: dict[Stage, int] = {stage: getattr(MaxSites(), stage) for stage in get_args(Stage)}


class CellTooLargeError(ValueError):
    """A cell with more sites than a stage takes; the message is the reason."""


def check_cell_size(n_sites: int, limit: int, stage: Stage) -> None:
    """Refuse a cell that is too large for a stage.

    Parameters
    ----------
    n_sites
        Number of sites in the cell.
    limit
        Largest number that the stage takes.
    stage
        Its key in ``max_sites`` of the configuration, for the message.

    Raises
    ------
    CellTooLargeError
        If there are more.
    """
    if n_sites > limit:
        raise CellTooLargeError(f"the cell has {n_sites} sites, more than max_sites.{stage} allows ({limit})")
