"""Splits: exact shares, reproducible, groups and twins kept whole, given parts respected."""

import pandas as pd
import pytest

import split_materials as split_script
from polyfacet.runtime.errors import UserError
from polyfacet.splits.coverage import read_coverage
from polyfacet.splits.grouping import by_column, by_material, with_twins
from polyfacet.splits.methods import SPLIT_METHODS, SplitMethod, SplitSettings, split_materials
from polyfacet.splits.parts import PARTS, divide

N = 200
MATERIALS = pd.DataFrame(
    {
        "mat_id": [f"m{i}" for i in range(N)],
        "formula": [f"Li{i // 4 + 1}F" for i in range(N)],
        "prototype_id": [None if i % 10 == 0 else f"P{i % 7}" for i in range(N)],
    }
)


def split(method="random", materials=MATERIALS, twins=(), **changes):
    settings = {"train_fraction": 0.85, "validation_fraction": 0.2, "seed": 1, "repeat": 0} | changes
    return split_materials(materials, SPLIT_METHODS.get(method), SplitSettings(**settings), dict(twins))[0]


def sizes(parts):
    return parts["part"].value_counts().to_dict()


def test_a_random_split_meets_the_shares_and_depends_on_seed_and_repeat_only():
    parts = split()
    assert sizes(parts) == {"train": 136, "valid": 34, "test": 30}
    pd.testing.assert_frame_equal(parts, split(materials=MATERIALS.sample(frac=1, random_state=3)))
    assert not parts.equals(split(seed=2))
    assert not parts.equals(split(repeat=1))


def test_each_repeat_has_its_own_test_and_validation_rows():
    repeats = [split(repeat=repeat).set_index("mat_id")["part"] for repeat in range(3)]
    for part in ("valid", "test"):
        chosen = [frozenset(parts.index[parts == part]) for parts in repeats]
        assert len(set(chosen)) == 3


def test_another_validation_fraction_leaves_the_test_part_as_it_is():
    few, many = split(validation_fraction=0.1), split(validation_fraction=0.4)
    assert (few["part"] == "test").equals(many["part"] == "test")


@pytest.mark.parametrize(
    ("method", "column", "settings"),
    [("formula", "formula", {}), ("column", "prototype_id", {"column": "prototype_id"})],
)
def test_groups_are_in_one_part_validation_included(method, column, settings):
    parts = split(method, train_fraction=0.6, **settings)
    together = parts.merge(MATERIALS, on="mat_id").groupby(column)["part"].nunique()
    assert (together == 1).all()
    assert set(parts["part"]) == {"train", "valid", "test"}


def of_sizes(*sizes):
    """Return groups of these sizes."""
    return {f"{group}-{i}": str(group) for group, size in enumerate(sizes) for i in range(size)}


def held_out(groups, fraction=0.85):
    """Return what is held out with each of 30 seeds."""
    return [divide(groups, fraction, "split", seed)[1] for seed in range(30)]


@pytest.mark.parametrize(
    ("sizes", "shares"),
    [
        ((90, 10), {0.1}),
        ((60, 15, 15, 10), {0.1, 0.15}),
        ((700, 80, 70, 60, 50, 40), {0.13, 0.14, 0.15, 0.16, 0.17}),
        ((50, 50), {0.5}),
        # 0.2 is nearer to 0.15 than nothing, and 0.4 is not.
        ((40, 40, 20), {0.2}),
    ],
)
def test_a_group_that_is_larger_than_the_test_part_is_trained_on(sizes, shares):
    groups = of_sizes(*sizes)
    assert {round(len(test) / len(groups), 2) for test in held_out(groups)} == shares


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.5, 0.85, 0.95])
def test_shares_are_met_within_half_of_the_smallest_group_of_the_larger_part(fraction):
    groups = of_sizes(*(1 + i % 7 for i in range(3, 40)), 60)
    for test in held_out(groups, fraction):
        train = groups.keys() - test
        larger = max(train, test, key=len)
        smallest = pd.Series({mat_id: groups[mat_id] for mat_id in larger}).value_counts().min()
        assert abs(len(train) - fraction * len(groups)) <= smallest / 2 + 0.5


def test_groups_of_a_division_are_random_and_whole():
    groups = of_sizes(60, *(15 for _ in range(8)))
    found = held_out(groups)
    assert len({frozenset(test) for test in found}) > 5
    for test in found:
        assert not {groups[each] for each in test} & {groups[each] for each in groups.keys() - test}
    assert held_out(groups) == found == held_out(dict(reversed(groups.items())))


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.999])
def test_no_part_of_two_groups_is_empty(fraction):
    for sizes in ((90, 10), (1, 1), (2, 1)):
        groups = of_sizes(*sizes)
        assert all(0 < len(test) < len(groups) for test in held_out(groups, fraction))


def test_materials_without_a_value_are_groups_of_their_own():
    groups = by_column(MATERIALS, "prototype_id")
    assert groups["m0"] != groups["m10"]
    assert groups["m1"] == groups["m8"]


def test_a_random_split_can_divide_a_formula():
    parts = split(train_fraction=0.5).merge(MATERIALS, on="mat_id")
    assert (parts.groupby("formula")["part"].nunique() > 1).any()


@pytest.mark.parametrize("method", ["random", "column"])
def test_twins_are_never_divided_whatever_the_method(method):
    # These have no prototype: each would be a group of its own.
    twins = {f"m{i}": f"T{i // 20}" for i in range(0, N, 10)}
    parts = split(method, twins=twins, train_fraction=0.6, column="prototype_id")
    names = parts["mat_id"].map(twins)
    assert (parts.groupby(names)["part"].nunique() == 1).all()


def test_groups_that_share_twins_are_one_group():
    groups = {"a": "A", "b": "B", "c": "C", "d": "D"}
    joined = with_twins(groups, {"a": "t", "b": "t", "c": "u", "x": "u"})
    assert joined == {"a": "A", "b": "A", "c": "C", "d": "D"}


@pytest.mark.parametrize(("rows", "method"), [(slice(0, 4), "formula"), (slice(0, 1), "random")])
def test_a_split_with_an_empty_part_is_an_error(rows, method):
    with pytest.raises(UserError, match="one part would be empty"):
        split(method, MATERIALS[rows])


def test_two_groups_are_too_few_for_three_parts():
    two = MATERIALS[:20].assign(phase=["a"] * 15 + ["b"] * 5)
    with pytest.raises(
        UserError, match="15 materials outside the test part are one group, 'phase=a'.*three groups"
    ):
        split("column", two, column="phase")


@pytest.mark.parametrize("repeat", range(5))
def test_compositions_that_differ_by_rounding_are_in_one_part(write_sample, tmp_path, repeat):
    spellings = ["Fe33.333333Ni66.666667", "Fe33.3Ni66.7", "Fe0.333Ni0.667", "FeNi2", "Ni2Fe", "Fe4Ni8"]
    others = {f"other{i}": f"Fe{i}Ni{30 - i}" for i in range(2, 29) if i != 10}
    sample = write_sample({f"m{i}": formula for i, formula in enumerate(spellings)} | others)
    path = tmp_path / "split.parquet"
    settings = {"method": "formula", "train_fraction": 0.5, "seed": 3, "repeat": repeat}
    split_script.main(sample, path, rounded=True, **settings)
    parts = pd.read_parquet(path).set_index("mat_id")
    mine = parts.loc[[f"m{i}" for i in range(len(spellings))]]
    assert mine["part"].nunique() == mine["group"].nunique() == 1
    assert parts["group"].nunique() == 1 + len(others)


def folds(path, rows, columns="mat_id,part"):
    path.write_text("\n".join([columns, *rows]) + "\n")
    return path


def test_given_folds_are_taken_as_they_are(tmp_path):
    given = ["m0,train", "m1,train", "m2,valid", "m3,test", "stranger,test"]
    parts = split("folds", file=folds(tmp_path / "folds.csv", given))
    assert parts.set_index("mat_id")["part"].to_dict() == {
        "m0": "train",
        "m1": "train",
        "m2": "valid",
        "m3": "test",
    }


def test_materials_without_fold_and_folds_of_unknown_materials_are_reported(write_sample, tmp_path, capsys):
    sample = write_sample({f"m{i}": "Fe" for i in range(10)})
    path, said = tmp_path / "split.parquet", tmp_path / "said.json"
    given = folds(tmp_path / "folds.csv", ["m0,train", "m1,valid", "m2,test", "stranger,test"])
    settings = {"method": "folds", "train_fraction": 0.5, "seed": 3, "repeat": 0}
    split_script.main(sample, path, file=given, coverage=said, **settings)
    assert read_coverage(said).model_dump() == {
        "n_materials": 10,
        "n_without_part": 7,
        "without_part": ["m3", "m4", "m5", "m6", "m7"],
        "n_unknown": 1,
        "unknown": ["stranger"],
    }
    told = capsys.readouterr().err
    assert f"{path}: 7 of 10 materials have no part and are in no cell (m3, m4, m5, m6, m7, ...)" in told
    assert "not in the sample (stranger)" in told
    split_script.main(sample, path, coverage=said, **{**settings, "method": "random"})
    assert (str(read_coverage(said)), capsys.readouterr().err) == ("", "")


def test_folds_may_be_of_many_more_materials_than_the_sample(tmp_path):
    given = [f"m{i},{PARTS[i % 3]}" for i in range(10_000)]
    assert len(split("folds", file=folds(tmp_path / "folds.csv", given))) == N


def test_given_folds_may_have_repeats(tmp_path):
    rows = ["m0,train,0", "m1,test,0", "m0,test,1", "m1,train,1"]
    path = folds(tmp_path / "folds.csv", rows, "mat_id,part,repeat")
    repeats = [split("folds", file=path, repeat=repeat) for repeat in (0, 1)]
    first, second = (parts.set_index("mat_id")["part"] for parts in repeats)
    assert first.to_dict() == {"m0": "train", "m1": "test"}
    assert second.to_dict() == {"m0": "test", "m1": "train"}


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (["m0,train"], "mat_id,fold", "no column part"),
        (["m0,training", "m1,test"], "mat_id,part", "'training'; use train, valid, test"),
        (["m0,train", "m0,test"], "mat_id,part", "contain m0 twice"),
        (["m0,train,1", "m1,test,1"], "mat_id,part,repeat", "no rows of repeat 0"),
        (
            ["m0,train,0.0", "m1,test,0.0"],
            "mat_id,part,repeat",
            "the repeat '0.0'. Write whole numbers, from 0",
        ),
        (
            ["m0,train", "m1,test", *(f"agm{i},train" for i in range(1000))],
            "mat_id,part",
            "names 1002 materials, 2 of which are in this sample of 200: it is for other materials. Its",
        ),
        (["x,train", "m1,test"], "mat_id,part", "no material of this sample in the part 'train'"),
    ],
)
def test_folds_that_cannot_be_used_say_why(tmp_path, rows, columns, message):
    with pytest.raises(UserError, match=message):
        split("folds", file=folds(tmp_path / "folds.csv", rows, columns))


def test_given_folds_must_not_divide_twins(tmp_path):
    path = folds(tmp_path / "folds.csv", ["m0,train", "m1,test", "m2,train"])
    with pytest.raises(UserError, match=r"divides twins.*: m0, m1\. Put them into one part in its file"):
        split("folds", file=path, twins={"m0": "T", "m1": "T"})


@pytest.mark.parametrize(("method", "settings"), [("scikit_learn", {}), ("k_fold", {"n_folds": 5})])
def test_rows_by_position_that_divide_twins_say_what_can_be_done(method, settings):
    twins = {f"m{i}": f"T{i // 2}" for i in range(N)}
    message = r"m\d+, m\d+ and \d+ other groups\. Rows by position .* Use `random`, .*tables: `sources:"
    with pytest.raises(UserError, match=message):
        split(method, twins=twins, **settings)
    parts = split("random", twins=twins)
    assert (parts.groupby(parts["mat_id"].map(twins))["part"].nunique() == 1).all()


def test_an_unknown_column_is_named_with_those_that_there_are(write_sample, tmp_path):
    settings = {"method": "column", "column": "prototype", "train_fraction": 0.5, "seed": 3, "repeat": 0}
    with pytest.raises(UserError, match="uses the column 'prototype'; the sample has mat_id"):
        split_script.main(write_sample({"a": "Fe", "b": "Ni"}), tmp_path / "split.parquet", **settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group": lambda materials, settings: {"m0": "a"}}, "assigns no group to m1 and 8 others"),
        (
            {"group": lambda materials, settings: dict.fromkeys(materials["mat_id"], 3)},
            "assigns m0 to the group 3, which is int, not str",
        ),
        (
            {"assign": lambda materials, settings: dict.fromkeys(materials["mat_id"], "validation")},
            "puts m0 into the part 'validation'; use train, valid, test",
        ),
        (
            {"group": lambda materials, settings: {**by_material(materials), "ghost0": "a", "ghost1": "b"}},
            "assigns a group to 'ghost0' and 1 other, not in the sample",
        ),
        (
            {"group": lambda materials, settings: {**by_material(materials), None: "a"}},
            "assigns a group to None, not in the sample",
        ),
    ],
)
def test_a_way_to_split_that_loses_or_invents_materials_is_refused(changes, message):
    materials = pd.DataFrame({"mat_id": [f"m{i}" for i in range(10)], "formula": ["Fe"] * 10})
    fields = {"group": lambda materials, settings: by_material(materials), **changes}
    method = SplitMethod("mine", "mine", **fields)
    with pytest.raises(UserError, match=message):
        split_materials(materials, method, SplitSettings(0.8, 0.2, seed=1, repeat=0))


def every_fifth(materials, settings):
    return {mat_id: PARTS[max(i % 5 - 2, 0)] for i, mat_id in enumerate(materials["mat_id"])}


def test_given_parts_must_not_divide_the_groups_of_their_method():
    def by_formula(materials, settings):
        return dict(zip(materials["mat_id"], materials["formula"], strict=True))

    method = SplitMethod("fifth", "every fifth", by_formula, assign=every_fifth)
    settings = SplitSettings(0.8, 0.2, seed=1, repeat=0)
    message = "divides the group 'Li10F' and 39 others: m36 in train, m38 in valid, m39 in test"
    with pytest.raises(UserError, match=message):
        split_materials(MATERIALS[:160], method, settings)
    split_materials(MATERIALS[:160:4], method, settings)
