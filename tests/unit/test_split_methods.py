"""Splits by chemical system, symmetry and value: what stays together, and what is held out."""

import json

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

import split_materials as split_script
from polyfacet.runtime.errors import UserError
from polyfacet.splits.methods import SPLIT_METHODS, SplitMethod, SplitSettings, split_materials
from polyfacet.splits.outside import of_held_out
from polyfacet.splits.symmetry import by_prototype, by_space_group, prototype

N = 120
FORMULAS = ["LiF", "Li2F", "FeO", "Fe2O3", "NaCl", "KCl", "MgO", "CaO", "SrO", "BaO", "ZnS", "CdS"]
MATERIALS = pd.DataFrame(
    {
        "mat_id": [f"m{i}" for i in range(N)],
        "formula": [FORMULAS[i // 10] for i in range(N)],
        # Seven materials have no value; the values of a formula are spread.
        "gap": [np.nan if i % 17 == 3 else float((i * 37) % N) for i in range(N)],
    }
)


def split(method, materials=MATERIALS, twins=(), **changes):
    settings = {"train_fraction": 0.9, "validation_fraction": 0.2, "seed": 1, "repeat": 0} | changes
    rows, coverage = split_materials(
        materials, SPLIT_METHODS.get(method), SplitSettings(**settings), dict(twins)
    )
    return rows.set_index("mat_id"), coverage


def cubic(species, positions, group=225, edge=5.0):
    return Structure.from_spacegroup(group, Lattice.cubic(edge), species, positions)


ORIGIN, MIDDLE, QUARTER = [0, 0, 0], [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]
ROCK_SALT = cubic(["Na", "Cl"], [ORIGIN, MIDDLE])
FLUORITE = cubic(["Ca", "F"], [ORIGIN, QUARTER])


def symmetries(**structures):
    rows = [(name, each.formula, json.dumps(each.as_dict())) for name, each in structures.items()]
    materials = pd.DataFrame(rows, columns=["mat_id", "formula", "structure"])
    return by_prototype(materials), by_space_group(materials)


def test_elements_of_a_system_are_in_one_part_whatever_their_amounts():
    rows, _ = split("chemical_system", train_fraction=0.6)
    assert rows.loc["m0", "group"] == rows.loc["m10", "group"] == "F-Li"
    assert rows.loc["m20", "group"] == rows.loc["m30", "group"] == "Fe-O"
    assert (rows.groupby("group")["part"].nunique() == 1).all()
    assert set(rows["part"]) == {"train", "valid", "test"}


def test_a_prototype_does_not_depend_on_elements_cell_origin_or_strain():
    moved = cubic(["Mg", "O"], [MIDDLE, ORIGIN], edge=4.2)
    large = ROCK_SALT.copy() * (2, 1, 1)
    primitive = ROCK_SALT.get_primitive_structure()
    shifted = FLUORITE.copy().translate_sites(range(len(FLUORITE)), QUARTER)
    found, groups = symmetries(
        salt=ROCK_SALT, moved=moved, large=large, primitive=primitive, fluorite=FLUORITE, shifted=shifted
    )
    assert {found[name] for name in ("salt", "moved", "large", "primitive")} == {"225: 1, 1"}
    assert found["fluorite"] == found["shifted"] == "225: 1, 2"
    assert set(groups.values()) == {"space group 225"}


def test_a_prototype_depends_on_space_group_amounts_orbits_and_occupancies():
    blende = cubic(["Zn", "S"], [ORIGIN, QUARTER], group=216)
    caesium_chloride = cubic(["Cs", "Cl"], [ORIGIN, MIDDLE], group=221, edge=4.1)
    heusler = cubic(["Al", "Fe", "Fe"], [ORIGIN, MIDDLE, QUARTER])
    shared = cubic([{"Na": 0.5, "K": 0.5}, "Cl"], [ORIGIN, MIDDLE])
    found, groups = symmetries(
        salt=ROCK_SALT, blende=blende, chloride=caesium_chloride, heusler=heusler, shared=shared
    )
    assert found == {
        "salt": "225: 1, 1",
        "blende": "216: 1, 1",
        "chloride": "221: 1, 1",
        "heusler": "225: 1, 1+2",
        "shared": "225: 1, 1 of 0.5/0.5",
    }
    assert groups["blende"] == "space group 216"


@pytest.mark.parametrize(("number", "mirrored"), [(152, 154), (76, 78), (212, 213)])
def test_mirror_images_are_one_prototype(number, mirrored):
    kinds = [((1.0,), [3]), ((1.0,), [6])]
    assert prototype(mirrored, kinds) == prototype(number, kinds) == f"{number}: 1, 2"


def test_the_highest_values_are_the_test_part_and_materials_without_a_value_have_none():
    rows, coverage = split("highest", objective="gap")
    values = MATERIALS.set_index("mat_id")["gap"]
    known = values.dropna()
    assert set(rows.index) == set(known.index)
    assert coverage.n_without_part == N - len(known)
    test = rows.index[rows["part"] == "test"]
    assert len(test) == round(0.1 * len(known))
    assert known[test].min() > known.drop(test).max()
    rest = rows.drop(test).join(MATERIALS.set_index("mat_id")["formula"])
    assert (rest.groupby("formula")["part"].nunique() == 1).all()
    assert set(rest["part"]) == {"train", "valid"}
    assert (rows.groupby("group")["part"].nunique() == 1).all()


def test_repeats_of_the_highest_values_differ_in_validation_rows_only():
    (first, _), (second, _) = (split("highest", objective="gap", repeat=repeat) for repeat in range(2))
    assert (first["part"] == "test").equals(second["part"] == "test")
    assert not (first["part"] == "valid").equals(second["part"] == "valid")


def test_twins_of_a_test_material_are_test_materials():
    by_value = MATERIALS.dropna().sort_values("gap")["mat_id"].tolist()
    low, other, high = by_value[0], by_value[1], by_value[-1]
    rows, _ = split("highest", objective="gap", twins={low: "t", high: "t", other: "u"})
    assert rows.loc[low, "part"] == "test"
    assert rows.loc[other, "part"] != "test"


def test_equal_values_are_held_out_together():
    ties = MATERIALS.assign(gap=np.where(np.arange(N) < 30, 5.0, 0.0))
    rows, _ = split("highest", ties, objective="gap")
    assert (rows["part"] == "test").sum() == 30


@pytest.mark.parametrize(
    ("values", "message"),
    [(np.nan, "no material has a value of gap"), (2.0, "the 120 values of gap are too similar")],
)
def test_values_that_cannot_be_held_out_are_an_error(values, message):
    with pytest.raises(UserError, match=message):
        split("highest", MATERIALS.assign(gap=values), objective="gap")


def test_the_script_reads_the_objective_from_the_sample_or_from_its_own_table(tmp_path):
    sample = tmp_path / "sample.parquet"
    MATERIALS.to_parquet(sample)
    moved = tmp_path / "gap.parquet"
    MATERIALS[["mat_id", "gap"]].to_parquet(moved)
    without = tmp_path / "without.parquet"
    MATERIALS[["mat_id", "formula"]].to_parquet(without)
    settings = {
        "method": "highest",
        "objective": "gap",
        "train_fraction": 0.9,
        "seed": 3,
        "repeat": 0,
    }
    split_script.main(sample, tmp_path / "first.parquet", **settings)
    split_script.main(without, tmp_path / "second.parquet", derived=[moved], **settings)
    first, second = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("first", "second"))
    pd.testing.assert_frame_equal(first, second)


def test_a_way_to_split_cannot_choose_both_test_part_and_all_parts():
    def chosen(materials, settings):
        return {}

    with pytest.raises(ValueError, match="both `assign` and `held_out`"):
        SplitMethod("mine", "mine", chosen, assign=chosen, held_out=chosen)


@pytest.mark.parametrize(
    ("method", "left_out"),
    [
        ("random", set()),
        ("scikit_learn", set()),
        ("formula", set()),
        ("chemical_system", {"system"}),
        ("space_group", {"blende", "system"}),
        ("prototype", {"blende"}),
        ("folds", None),
    ],
)
def test_materials_outside_the_sample_that_a_split_holds_out_are_found(method, left_out):
    blende = cubic(["Zn", "S"], [ORIGIN, QUARTER], group=216)
    heusler = cubic(["Cd", "S", "S"], [ORIGIN, QUARTER, MIDDLE], group=216)
    given = {
        "salt": (ROCK_SALT, "NaCl", "train"),
        "tested": (blende, "ZnS", "test"),
        "other": (ROCK_SALT.copy(), "MgO", None),
        "blende": (blende, "CdSe", None),
        "system": (heusler, "ZnS2", None),
    }
    rows = [(name, f, json.dumps(s.as_dict()), len(s), part) for name, (s, f, part) in given.items()]
    materials = pd.DataFrame(rows, columns=["mat_id", "formula", "structure", "n_sites", "part"])
    others = materials[materials["part"].isna()].drop(columns="part")
    settings = SplitSettings(0.85, 0.15, seed=1, repeat=0)
    found = of_held_out(materials.dropna(subset="part"), others, SPLIT_METHODS.get(method), settings)
    assert found == left_out
