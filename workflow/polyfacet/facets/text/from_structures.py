"""Texts of materials from their structure files."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pymatgen.core import Structure

from polyfacet.facets.text.compact_cif import compact_cif
from polyfacet.facets.text.composition import cell_composition
from polyfacet.facets.text.variants import CELL_COMPOSITION
from polyfacet.materials.cell_size import MAX_SITES, check_cell_size
from polyfacet.materials.cif import read_cif
from polyfacet.runtime.rejects import Reject


def texts_of_structures(
    cifs: Iterable[Path], form: str, max_sites: int = MAX_SITES["texts"]
) -> tuple[list[dict[str, str]], list[Reject]]:
    """Write the text of each structure.

    Parameters
    ----------
    cifs
        Files ``<mat_id>.cif``.
    form
        See `polyfacet.facets.text.variants.STRUCTURE_TEXTS`.
    max_sites
        Largest number of sites in a described cell.

    Returns
    -------
    tuple of list
        Rows of the table of texts, and the materials without one.
    """
    write = _writer(form)
    rows, rejects = [], []
    for path in cifs:
        try:
            structure = read_cif(path)
            check_cell_size(len(structure), max_sites, "texts")
            rows.append({"mat_id": path.stem, "text": write(structure)})
        except ValueError as error:
            rejects.append(Reject.because_of(path.stem, error))
    return rows, rejects


def _writer(form: str) -> Callable[[Structure], str]:
    if form == CELL_COMPOSITION:
        return cell_composition
    if form == "cif":
        return compact_cif
    from polyfacet.facets.text.robocrystallographer import Describer  # noqa: PLC0415 - takes seconds

    return Describer()
