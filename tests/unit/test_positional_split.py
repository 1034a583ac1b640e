"""The split of published code that calls scikit-learn, through the script."""

import pandas as pd
import pytest
from sklearn.model_selection import KFold, train_test_split

import split_materials
from polyfacet.runtime.errors import UserError


@pytest.mark.parametrize("n", [20, 360])
def test_the_split_of_published_code_is_that_of_two_calls_of_scikit_learn(write_sample, tmp_path, n):
    mat_ids = [f"steel-{number:04d}" for number in range(n)]
    sample = write_sample(dict.fromkeys(mat_ids, "Fe"))
    options = {"method": "scikit_learn", "train_fraction": 0.8, "validation_fraction": 0.25, "seed": 1}
    parts = {}
    for name, repeat, state in (("a", 0, 42), ("b", 3, 42), ("c", 3, None), ("d", 0, 4)):
        split_materials.main(
            sample, tmp_path / f"{name}.parquet", repeat=repeat, random_state=state, **options
        )
        parts[name] = pd.read_parquet(tmp_path / f"{name}.parquet").set_index("mat_id")["part"]
    rest, test = train_test_split(mat_ids, test_size=0.2, random_state=42)
    train, valid = train_test_split(rest, test_size=0.25, random_state=42)
    for part, expected in (("train", train), ("valid", valid), ("test", test)):
        assert set(parts["a"].index[parts["a"] == part]) == set(expected)
    # Repeats of one random state are one split; without one, each repeat has its own.
    assert parts["a"].equals(parts["b"])
    assert parts["c"].equals(parts["d"])
    assert not parts["a"].equals(parts["c"])


def test_folds_are_those_of_scikit_learn_and_are_tested_on_in_turn(write_sample, tmp_path):
    mat_ids = [f"steel-{number:04d}" for number in range(23)]
    sample = write_sample(dict.fromkeys(mat_ids, "Fe"))
    tested = []
    for repeat in range(7):
        split_materials.main(
            sample,
            tmp_path / "split.parquet",
            method="k_fold",
            train_fraction=0.85,
            validation_fraction=0.2,
            seed=1,
            repeat=repeat,
            random_state=18012019,
            n_folds=5,
        )
        parts = pd.read_parquet(tmp_path / "split.parquet").set_index("mat_id")["part"]
        tested.append(set(parts.index[parts == "test"]))
        assert (parts == "valid").sum() == -(-(23 - len(tested[-1])) // 5)
    folds = (KFold(5, shuffle=True, random_state=state).split(mat_ids) for state in (18012019, 18012020))
    first, second = ([{mat_ids[row] for row in test} for _, test in each] for each in folds)
    assert tested == [*first, *second[:2]]


def test_more_folds_than_rows_say_so(write_sample, tmp_path):
    with pytest.raises(UserError, match="2 rows cannot be divided into 5 folds by scikit-learn"):
        split_materials.main(
            write_sample({"a": "Fe", "b": "Ni"}),
            tmp_path / "split.parquet",
            method="k_fold",
            train_fraction=0.85,
            seed=0,
            repeat=0,
            n_folds=5,
        )


def test_a_table_too_small_for_the_split_says_so(write_sample, tmp_path):
    with pytest.raises(UserError, match="cannot be split by scikit-learn"):
        split_materials.main(
            write_sample({"a": "Fe"}),
            tmp_path / "split.parquet",
            method="scikit_learn",
            train_fraction=0.8,
            seed=0,
            repeat=0,
        )
