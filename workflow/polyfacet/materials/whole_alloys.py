"""Formulas whose amounts add up to 100 or 1, as those of alloys do."""

import math

from polyfacet.materials.formula import FormulaError, parse_alloy, parse_formula

# Stated amounts are rounded.
_WITHIN = 0.005


def is_whole(formula: str) -> bool:
    """Return whether the amounts of several elements, with brackets read either way, sum to 100 or 1."""
    try:
        readings = [read(formula, deuterium=True) for read in (parse_formula, parse_alloy)]
    except FormulaError:
        return False
    totals = [math.fsum(amounts.values()) for amounts in readings if len(amounts) > 1]
    return any(math.isclose(total, whole, rel_tol=_WITHIN) for total in totals for whole in (1, 100))
