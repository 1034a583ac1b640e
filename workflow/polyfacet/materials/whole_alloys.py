"""Formulas whose amounts add up to the whole, as those of alloys do."""

import math

from polyfacet.materials.formula import FormulaError, parse_alloy, parse_formula

# Stated amounts are rounded.
_WITHIN = 0.005


def is_whole(formula: str) -> bool:
    """Whether the amounts of several elements add up to 100 or to 1, brackets being groups or sub-alloys."""
    try:
        readings = [read(formula, deuterium=True) for read in (parse_formula, parse_alloy)]
    except FormulaError:
        return False
    totals = [math.fsum(amounts.values()) for amounts in readings if len(amounts) > 1]
    return any(math.isclose(total, whole, rel_tol=_WITHIN) for total in totals for whole in (1, 100))
