"""Splits: exact share, reproducible, formulas kept together on demand."""

import pandas as pd
import pytest

import split_materials as split_script
from polyfacet.runtime.errors import UserError
from polyfacet.splits.parts import indivisible_groups, split_materials

FORMULAS = {f"m{i}": f"X{i // 4}" for i in range(200)}


def test_random_split_meets_the_share_and_depends_on_seed_and_repeat_only():
    parts = split_materials(indivisible_groups(FORMULAS, "random"), 0.85, seed=1, repeat=0)
    assert list(parts.values()).count("train") == 170
    assert parts == split_materials(
        indivisible_groups(dict(reversed(FORMULAS.items())), "random"), 0.85, seed=1, repeat=0
    )
    assert parts != split_materials(indivisible_groups(FORMULAS, "random"), 0.85, seed=2, repeat=0)
    assert parts != split_materials(indivisible_groups(FORMULAS, "random"), 0.85, seed=1, repeat=1)


def test_formula_split_keeps_formulas_together():
    parts = split_materials(indivisible_groups(FORMULAS, "formula"), 0.85, seed=1, repeat=0)
    by_formula = {}
    for mat_id, part in parts.items():
        by_formula.setdefault(FORMULAS[mat_id], set()).add(part)
    assert all(len(found) == 1 for found in by_formula.values())
    assert list(parts.values()).count("train") == pytest.approx(170, abs=4)


def test_a_random_split_can_part_a_formula():
    parts = split_materials(indivisible_groups(FORMULAS, "random"), 0.5, seed=1, repeat=0)
    assert any(len({parts[f"m{4 * i + j}"] for j in range(4)}) == 2 for i in range(50))


@pytest.mark.parametrize(("formulas", "method"), [({"a": "X", "b": "X"}, "formula"), ({"a": "X"}, "random")])
def test_a_split_with_an_empty_part_is_an_error(formulas, method):
    with pytest.raises(UserError, match="one part is empty"):
        split_materials(indivisible_groups(formulas, method), 0.85, seed=1, repeat=0)


@pytest.mark.parametrize("repeat", range(5))
def test_compositions_that_differ_by_rounding_are_in_one_part(write_sample, tmp_path, repeat):
    spellings = ["Fe33.333333Ni66.666667", "Fe33.3Ni66.7", "Fe0.333Ni0.667", "FeNi2", "Ni2Fe", "Fe4Ni8"]
    others = {f"other{i}": f"Fe{i}Ni{30 - i}" for i in range(11, 29)}
    sample = write_sample({f"m{i}": formula for i, formula in enumerate(spellings)} | others)
    split = tmp_path / "split.parquet"
    settings = {"method": "formula", "train_fraction": 0.5, "seed": 3, "repeat": repeat}
    split_script.main(sample, split, rounded=True, **settings)
    parts = pd.read_parquet(split).set_index("mat_id")
    mine = parts.loc[[f"m{i}" for i in range(len(spellings))]]
    assert mine["part"].nunique() == mine["group"].nunique() == 1
    assert parts["group"].nunique() == 1 + len(others)
