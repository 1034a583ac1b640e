"""Texts of materials: from their formulas, or from their structure files."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pymatgen.core import Structure

from polyfacet.facets.text.compact_cif import compact_cif
from polyfacet.facets.text.composition import composition_text
from polyfacet.materials.cell_size import MAX_SITES, check_cell_size
from polyfacet.materials.cif import read_cif
from polyfacet.materials.formula import FormulaError
from polyfacet.runtime.rejects import Reject

# Rows of the table of texts, and the materials without one.
Texts = tuple[list[dict[str, str]], list[Reject]]


def texts_of_formulas(formulas: Mapping[str, str], form: str) -> Texts:
    """Write the text of each formula.

    Parameters
    ----------
    formulas
        mat_id to formula.
    form
        See `polyfacet.facets.text.composition.VARIANTS`.
    """
    rows, rejects = [], []
    for mat_id, formula in formulas.items():
        try:
            rows.append({"mat_id": mat_id, "text": composition_text(formula, form)})
        except FormulaError as error:
            rejects.append(Reject.because_of(mat_id, error))
    return rows, rejects


def texts_of_structures(cifs: Iterable[Path], form: str, max_sites: int = MAX_SITES["texts"]) -> Texts:
    """Write the text of each structure.

    Parameters
    ----------
    cifs
        Files ``<mat_id>.cif``.
    form
        See `polyfacet.facets.text.variants.STRUCTURE_TEXTS`.
    max_sites
        Largest number of sites in a described cell.
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
    if form == "cif":
        return compact_cif
    from polyfacet.facets.text.robocrystallographer import Describer  # noqa: PLC0415 - takes seconds

    return Describer()
