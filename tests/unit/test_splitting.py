"""Splits: exact share, reproducible, formulas kept together on demand."""

import pytest

from polyfacet.errors import UserError
from polyfacet.splitting import indivisible_groups, split_materials

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
