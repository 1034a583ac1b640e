import math

import pytest

from polyfacet.materials.amounts import AmountError, atomic_percent, checked_amounts
from polyfacet.materials.formula import MAX_AMOUNT


def test_valid_amounts_are_unchanged_and_zeros_are_omitted():
    amounts = checked_amounts({"Fe": 70, "C": 0.0, "Ni": 30.0}, "atomic_percent")
    assert list(amounts.items()) == [("Fe", 70.0), ("Ni", 30.0)]


def test_the_balance_makes_up_the_remainder():
    assert checked_amounts({"C": 0.4, "Mn": 1.6}, "weight_percent", "Fe") == {"C": 0.4, "Mn": 1.6, "Fe": 98.0}
    assert checked_amounts({"Ni": 0.25}, "atomic_fraction", "Al") == {"Ni": 0.25, "Al": 0.75}


@pytest.mark.parametrize("unit", ["weight_percent", "weight_fraction"])
def test_weight_becomes_atomic_percent(unit):
    # Water is 11.19 % hydrogen by weight, cementite 6.69 % carbon.
    scale = 1 if unit == "weight_percent" else 0.01
    water = atomic_percent({"H": 11.19 * scale, "O": 88.81 * scale}, unit)
    assert water == pytest.approx({"H": 200 / 3, "O": 100 / 3}, rel=1e-3)
    cementite = atomic_percent({"Fe": 93.31 * scale, "C": 6.69 * scale}, unit)
    assert cementite == pytest.approx({"Fe": 75, "C": 25}, rel=1e-3)


def test_all_spellings_of_a_composition_become_one():
    expected = {"Fe": 70.0, "B": 30.0}
    for amounts in ({"Fe": 7, "B": 3}, {"Fe": 0.7, "B": 0.3}, {"Fe": 70.0, "B": 30.0}):
        assert atomic_percent(amounts, "atoms") == expected


def test_a_small_amount_is_kept_with_six_digits():
    assert atomic_percent({"Fe": 1e6, "B": 1e-3}, "atoms") == {"Fe": 100.0, "B": 1e-7}
    assert atomic_percent({"Fe": 1, "B": 1.23456789e-9}, "atoms")["B"] == 1.23457e-7
    with pytest.raises(AmountError, match="the amount of B, 1e-13, is below 1e-12 of the sum"):
        checked_amounts({"Fe": 1, "B": 1e-13}, "atoms")


@pytest.mark.parametrize(("unit", "whole"), [("weight_percent", 100), ("atomic_fraction", 1)])
def test_incomplete_amounts_are_rejected_with_the_fix(unit, whole):
    for share in (0.019, 0.5, 0.98):
        with pytest.raises(
            AmountError, match=rf"sum to {share * whole:g}, not {whole}(.|)*composition.balance"
        ):
            checked_amounts({"C": 0.2 * share * whole, "Mn": 0.8 * share * whole}, unit)
        part = {"C": 0.2 * share * whole, "Mn": 0.8 * share * whole}
        assert checked_amounts(part, unit, partial=True) == part
    assert checked_amounts({"C": 0.992 * whole}, unit) == {"C": 0.992 * whole}
    assert checked_amounts({"C": 0.02 * whole}, unit, "Fe")["Fe"] == pytest.approx(0.98 * whole)


def test_a_mistaken_unit_is_named():
    with pytest.raises(AmountError, match="sum to 1, not 100; for fractions"):
        checked_amounts({"C": 0.25, "Mn": 0.75}, "weight_percent")
    with pytest.raises(AmountError, match=r"sum to 100, more than 1 \(tolerance 0.005\); for percentages"):
        checked_amounts({"C": 25, "Mn": 75}, "weight_fraction")


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
def test_invalid_amounts_are_rejected_with_the_reason(stated, unit, reason):
    with pytest.raises(AmountError, match=reason):
        checked_amounts(stated, unit)


def test_excessive_amounts_are_rejected():
    assert sum(checked_amounts({"Fe": 70.2, "Ni": 30}, "atomic_percent").values()) == pytest.approx(100.2)
    assert sum(checked_amounts({"Fe": 70.3, "Ni": 30.2}, "atomic_percent").values()) == pytest.approx(100.5)
    with pytest.raises(AmountError, match="sum to 101, more than 100"):
        checked_amounts({"Fe": 71, "Ni": 30}, "atomic_percent")
    with pytest.raises(AmountError, match="sum to 101, more than 100"):
        checked_amounts({"C": 60, "Ni": 41}, "weight_percent", "Fe")


@pytest.mark.parametrize(
    "stated",
    [
        {"Ni": 100},
        {"Ni": 99.9999999999999},
        {"Ni": 100.4},
        {"Ni": 60, "Al": 40},
        {"Ni": 33.3, "Al": 33.3, "Co": 33.4},
    ],
)
def test_without_a_remainder_the_balance_is_absent(stated):
    assert checked_amounts(stated, "weight_percent", "Ti") == stated
    fractions = {symbol: amount / 100 for symbol, amount in stated.items()}
    assert checked_amounts(fractions, "atomic_fraction", "Ti") == fractions


def test_a_trace_is_left_to_the_balance():
    assert checked_amounts({"Ni": 99.9999}, "weight_percent", "Ti")["Ti"] == pytest.approx(1e-4)
