"""Which cells gain by a GPU."""

from polyfacet.facets.registry import PICTURE_FACETS, Facet, facets_of


def cell_gpus(combination: str, *, hub: bool) -> int | None:
    """Give the GPUs of a cell: one where it trains an encoder that is slow without, else None.

    Local encoders of text are small, and a cell of embeddings alone has no encoder.
    """
    slow = {*PICTURE_FACETS, Facet.TEXT} if hub else set(PICTURE_FACETS)
    return 1 if slow.intersection(facets_of(combination)) else None
