import math

import pytest

from polyfacet.composition.amounts import AmountError, atomic_amounts
from polyfacet.composition.formula import MAX_AMOUNT


@pytest.mark.parametrize("unit", ["atoms", "atomic_percent"])
def test_atoms_stay_as_they_are_and_zeros_are_left_out(unit):
    amounts = atomic_amounts({"Fe": 70, "C": 0.0, "Ni": 30.0}, unit)
    assert list(amounts.items()) == [("Fe", 70.0), ("Ni", 30.0)]


def test_weight_becomes_atomic_percent():
    # Water is 11.19 % hydrogen by weight, cementite 6.69 % carbon.
    water = atomic_amounts({"H": 11.19, "O": 88.81}, "weight_percent")
    assert water == pytest.approx({"H": 200 / 3, "O": 100 / 3}, rel=1e-3)
    cementite = atomic_amounts({"Fe": 93.31, "Mn": 0, "C": 6.69}, "weight_percent")
    assert cementite == pytest.approx({"Fe": 75, "C": 25}, rel=1e-3)


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({}, "no element is named"),
        ({"Fe": 0.0, "C": 0.0}, "all amounts are zero"),
        ({"Fe": 99, "Xx": 1}, "unknown element 'Xx'"),
        ({"Fe": 99, "D": 1}, "unknown element 'D'"),
        ({"Fe": -1.5, "C": 2}, "the amount of Fe is -1.5, not between"),
        ({"Fe": 2 * MAX_AMOUNT}, "the amount of Fe is 2e.06, not between"),
        ({"Fe": math.nan}, "the amount of Fe is missing or not finite"),
        ({"Fe": math.inf}, "the amount of Fe is missing or not finite"),
    ],
)
@pytest.mark.parametrize("unit", ["atoms", "weight_percent"])
def test_amounts_that_make_no_composition_are_refused_with_the_reason(stated, unit, reason):
    with pytest.raises(AmountError, match=reason):
        atomic_amounts(stated, unit)
