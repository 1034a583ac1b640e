import math

import numpy as np
import pandas as pd
import pytest

from polyfacet.facets.compimage.statistics import CHUNK, STATISTICS, composition_statistics
from polyfacet.facets.compimage.statistics_table import (
    COMPOSITION_STATISTICS,
    SHAPE,
    statistics_rows,
    with_statistics,
)
from polyfacet.runtime.parquet import write_table


def elements(**properties):
    return pd.DataFrame(properties, index=["A", "B", "C"])


def of(composition, values, mode):
    """Return the statistics of one property with the given values for A, B, C."""
    result = composition_statistics([composition], elements(f=values), mode)
    return dict(zip(STATISTICS, result[0, :, 0], strict=True))


@pytest.mark.parametrize("mode", ["xenonpy", "stable"])
def test_seven_statistics_match_a_calculation_by_hand(mode):
    result = of({"A": 1, "B": 3}, [2.0, 4.0, 99.0], mode)
    assert result == pytest.approx(
        {
            "ave": 3.5,  # (2 + 3 * 4) / 4
            "var": 0.75,  # (1.5^2 + 3 * 0.5^2) / 4
            "gmean": 128**0.25,  # 2 * 4^3
            "hmean": 3.2,  # 4 / (1/2 + 3/4)
            "max": 4.0,
            "min": 2.0,
            "sum": 14.0,
        },
        rel=1e-14,
    )


def by_loop(composition, table):
    """Compute the statistics from their definitions, one property at a time."""
    total = math.fsum(composition.values())
    result = np.empty((7, table.shape[1]))
    for column, name in enumerate(table):
        f = [table.loc[symbol, name] for symbol in composition]
        w = list(composition.values())
        ave = math.fsum(x * y for x, y in zip(w, f, strict=True)) / total
        result[:, column] = (
            ave,
            math.fsum(x * (y - ave) ** 2 for x, y in zip(w, f, strict=True)) / total,
            math.exp(math.fsum(x * math.log(y) for x, y in zip(w, f, strict=True)) / total),
            total / math.fsum(x / y for x, y in zip(w, f, strict=True)),
            max(f),
            min(f),
            ave * total,
        )
    return result


@pytest.mark.parametrize("mode", ["xenonpy", "stable"])
def test_many_compositions_at_once_equal_a_plain_loop(mode):
    rng = np.random.default_rng(3)
    symbols = [f"E{i}" for i in range(12)]
    table = pd.DataFrame(rng.uniform(0.5, 300, (12, 4)), symbols, list("pqrs"))
    compositions = [
        dict(zip(rng.choice(symbols, size, replace=False), rng.uniform(0.1, 4, size).tolist(), strict=True))
        for size in rng.integers(1, 7, CHUNK + 50)
    ]
    result = composition_statistics(compositions, table, mode)
    expected = np.array([by_loop(composition, table) for composition in compositions])
    assert result == pytest.approx(expected, rel=1e-12, abs=1e-11)


@pytest.mark.parametrize("mode", ["xenonpy", "stable"])
def test_statistics_of_a_composition_do_not_depend_on_the_others(mode):
    table = elements(f=[0.1, 0.7, 0.3])
    pair, triple = {"A": 0.1, "B": 0.7}, {"A": 1 / 3, "B": 0.1, "C": 7.0}
    alone = composition_statistics([pair], table, mode)
    together = composition_statistics([triple, pair], table, mode)
    assert np.array_equal(alone[0], together[1])


def test_order_of_elements_does_not_matter():
    table = elements(f=[1.0, 2.0, 4.0])
    forth = composition_statistics([{"A": 1, "C": 2}], table, "stable")
    back = composition_statistics([{"C": 2, "A": 1}], table, "stable")
    assert forth == pytest.approx(back, rel=1e-15)


def test_zero_makes_geometric_and_harmonic_mean_zero_in_both_modes():
    for mode in ("xenonpy", "stable"):
        result = of({"A": 1, "B": 2}, [0.0, 5.0, 1.0], mode)
        assert (result["gmean"], result["hmean"], result["min"]) == (0, 0, 0)


def test_geometric_mean_of_negative_values():
    fractional, whole = {"A": 0.5, "B": 0.5}, {"A": 2, "B": 2}
    values = [-4.0, -9.0, 1.0]
    assert math.isnan(of(fractional, values, "xenonpy")["gmean"])
    assert of(whole, values, "xenonpy")["gmean"] == pytest.approx(6)
    assert math.isnan(of(fractional, values, "stable")["gmean"])
    assert math.isnan(of(whole, values, "stable")["gmean"])


def test_geometric_mean_overflows_only_in_xenonpy_mode():
    percent = {"A": 50, "B": 50}
    values = [2000.0, 8000.0, 1.0]
    assert of(percent, values, "xenonpy")["gmean"] == math.inf
    assert of(percent, values, "stable")["gmean"] == pytest.approx(4000)


def test_harmonic_mean_of_mixed_signs_is_undefined_in_stable_mode():
    values = [-1.0, 1.0, 1.0]
    assert of({"A": 1, "B": 1}, values, "xenonpy")["hmean"] == math.inf
    assert math.isnan(of({"A": 1, "B": 1}, values, "stable")["hmean"])
    assert of({"A": 1, "B": 3}, [-2.0, -6.0, 1.0], "stable")["hmean"] == pytest.approx(-4)


def test_value_shared_by_all_elements_has_zero_variance_in_stable_mode():
    result = of({"A": 0.1, "B": 0.2, "C": 0.7}, [0.1, 0.1, 0.1], "stable")
    assert (result["ave"], result["gmean"], result["hmean"], result["var"]) == (0.1, 0.1, 0.1, 0)


def test_missing_property_is_ignored_in_stable_mode_and_gives_nan_otherwise():
    values = [math.nan, 3.0, 5.0]
    stable = of({"A": 2, "B": 1, "C": 1}, values, "stable")
    assert stable["ave"] == 4
    assert stable["sum"] == 16  # the mean over known values, times all atoms
    assert (stable["max"], stable["min"]) == (5, 3)
    assert math.isnan(of({"A": 2, "B": 1, "C": 1}, values, "xenonpy")["ave"])


def test_property_missing_for_all_elements_gives_nan():
    result = of({"A": 1}, [math.nan, 3.0, 5.0], "stable")
    assert all(math.isnan(value) for value in result.values())


def test_element_missing_from_the_table_raises_key_error():
    with pytest.raises(KeyError, match="Cm"):
        composition_statistics([{"A": 1, "Cm": 1}], elements(f=[1.0, 2.0, 3.0]), "stable")


def test_no_compositions_give_no_statistics():
    assert composition_statistics([], elements(f=[1.0, 2.0, 3.0]), "stable").shape == (0, 7, 1)


def test_statistics_of_materials_are_found_in_any_of_the_tables(tmp_path):
    values = np.arange(3.0)[:, None, None] + np.zeros(SHAPE)
    paths = [tmp_path / "shard-0.parquet", tmp_path / "shard-1.parquet"]
    for path, part in zip(paths, (slice(0, 1), slice(1, 3)), strict=True):
        write_table(path, statistics_rows(["a", "b", "c"][part], values[part]), COMPOSITION_STATISTICS)
    materials = with_statistics(pd.DataFrame({"mat_id": ["c", "unknown", "a"]}), paths)
    found = np.stack(materials["composition_statistics"])
    assert found.shape == (3, SHAPE[0] * SHAPE[1])
    np.testing.assert_array_equal(found[:, 0], [2.0, np.nan, 0.0])
    assert np.isnan(found[1]).all()
