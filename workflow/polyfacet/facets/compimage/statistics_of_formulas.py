"""Statistics of the element properties of formulas, by either back end."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from polyfacet.config.composition import StatisticsBackend, StatisticsMode
from polyfacet.facets.compimage.element_table import elements_without_properties
from polyfacet.facets.compimage.statistics import composition_statistics
from polyfacet.facets.compimage.statistics_table import statistics_rows
from polyfacet.facets.compimage.xenonpy_backend import xenonpy_statistics
from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.runtime.rejects import Reject


def statistics_of_formulas(
    formulas: Mapping[str, str], elements: pd.DataFrame, backend: StatisticsBackend, mode: StatisticsMode
) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Compute the statistics of the element properties of each formula.

    Parameters
    ----------
    formulas
        mat_id to formula.
    elements
        Table of element properties.
    backend
        ``polyfacet`` or ``xenonpy``.
    mode
        See `polyfacet.facets.compimage.statistics.composition_statistics`.

    Returns
    -------
    tuple of list
        Rows of `polyfacet.facets.compimage.statistics_table.COMPOSITION_STATISTICS`, and the materials whose
        formula or one of its elements is unknown.
    """
    compositions, rejects = _compositions(formulas, elements)
    amounts = list(compositions.values())
    values = (
        xenonpy_statistics(amounts, elements)
        if backend == "xenonpy"
        else composition_statistics(amounts, elements, mode)
    )
    return statistics_rows(compositions, values), rejects


def _compositions(
    formulas: Mapping[str, str], elements: pd.DataFrame
) -> tuple[dict[str, dict[str, float]], list[Reject]]:
    compositions: dict[str, dict[str, float]] = {}
    rejects = []
    for mat_id, formula in formulas.items():
        try:
            amounts = parse_formula(formula)
        except FormulaError as error:
            rejects.append(Reject.because_of(mat_id, error))
            continue
        unknown = elements_without_properties(amounts, elements)
        if unknown:
            rejects.append(Reject(mat_id, f"the element table has no properties of {', '.join(unknown)}"))
            continue
        compositions[mat_id] = amounts
    return compositions, rejects
