"""Texts of materials from their formulas."""

from collections.abc import Mapping

from polyfacet.facets.text.composition import composition_text
from polyfacet.materials.formula import FormulaError
from polyfacet.runtime.rejects import Reject


def texts_of_formulas(formulas: Mapping[str, str], form: str) -> tuple[list[dict[str, str]], list[Reject]]:
    """Write the text of each formula.

    Parameters
    ----------
    formulas
        mat_id to formula.
    form
        See `polyfacet.facets.text.composition.VARIANTS`.

    Returns
    -------
    tuple of list
        Rows of the table of texts, and the materials without one.
    """
    rows, rejects = [], []
    for mat_id, formula in formulas.items():
        try:
            rows.append({"mat_id": mat_id, "text": composition_text(formula, form)})
        except FormulaError as error:
            rejects.append(Reject.because_of(mat_id, error))
    return rows, rejects
