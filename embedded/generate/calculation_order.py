"""The order in which unfinished crystals of the list are calculated."""

from collections.abc import Mapping

from stored_results import Json, is_complete

#: From this crystal on, the list was chosen to fill gaps in the set: metastable polymorphs, magnets and small
#: band gaps, in small cells.
FIRST_CHOSEN = "pfx000561"


def in_order(crystals: Mapping[str, Json], results: Mapping[str, Json]) -> list[str]:
    """Order the crystals that are not complete.

    Parameters
    ----------
    crystals : mapping
        Identifier to specification.
    results : mapping
        Identifier to finished result.

    Returns
    -------
    list of str
        Those with an earlier estimate of the density of states at the Fermi level, the cheapest first, as
        they keep the rest out of the set; those chosen to fill gaps, and then the others, in the order of
        the list.
    """
    left = [mat_id for mat_id in crystals if mat_id not in results or not is_complete(results[mat_id])]

    def place(mat_id: str) -> tuple[int, float, str]:
        if mat_id in results:
            return 0, float(results[mat_id]["cpu_s"]), mat_id
        if mat_id >= FIRST_CHOSEN:
            return 1, 0.0, mat_id
        return 2, 0.0, mat_id

    return sorted(left, key=place)
