"""How the materials of a source are split into training, validation and test parts."""

from typing import Annotated

from pydantic import AfterValidator, Field

from polyfacet.config.section import InputPath, Name, Section, Text, each_once

MAX_REPEATS = 100
# Share of the materials outside the test part.
TRAIN_FRACTION, TRAIN_FRACTION_OF_HIGHEST = 0.85, 0.9


def usual_train_fraction(method: str) -> float:
    """Return the `train_fraction` of a method if none is given."""
    return TRAIN_FRACTION_OF_HIGHEST if method == "highest" else TRAIN_FRACTION


class Split(Section):
    """A split and the number of its repeats."""

    method: Name | None = Field(
        default=None,
        description="`random` splits materials, as in Costa (2024); `formula` keeps each reduced formula in "
        "one part, `chemical_system` each set of elements, `space_group` each space group, `prototype` each "
        "space group with the same anonymous formula and orbits, `column` each value of a column of the "
        "sample; `highest` tests on the highest values of an objective; `folds` reads the parts from a file; "
        "`scikit_learn` splits by row position with `train_test_split`, as much published code does, and "
        "`k_fold` with `KFold`, as benchmarks do. docs/splits.md says more. `null` uses the method with the "
        "name of the split. Twins (one crystal under several identifiers) always stay together; compositions "
        "of tables and of disordered crystals that are equal within rounding count as one formula.",
    )
    sources: Annotated[list[Name], AfterValidator(each_once)] = Field(
        default=[],
        description="Sources that are split in this way: `crystals` or names of tables; empty for all.",
    )
    train_fraction: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of the materials outside the test part; `null` is 0.85, and 0.9 for `highest`, "
        "which then tests on the highest tenth. `k_fold` and `folds` determine it themselves.",
    )
    validation_fraction: float = Field(
        default=0.15,
        gt=0,
        le=0.5,
        description="Share of these that chooses epochs, checkpoints, blending weights and methods. Some "
        "engines are trained on it, too, to predict the test part; it is itself always predicted by a model "
        "that was not fitted on it. No facet is fitted on it, unless `composition.fit` is `all`.",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        le=MAX_REPEATS,
        description="Number of repeats, each with its own test rows, validation rows and seeds; all fits "
        "are made once per repeat.",
    )
    column: Text | None = Field(
        default=None,
        description="Column that `column` groups by, such as `prototype_id` or `space_group`; for a table "
        "also any column of its file.",
    )
    file: InputPath | None = Field(
        default=None,
        description="CSV file for `folds`: columns `mat_id`, `part` (train, valid, test) and, for several "
        "repeats, `repeat`, counted from 0.",
    )
    objective: Name | None = Field(
        default=None,
        description="Objective, a number, whose highest values `highest` holds out. Only cells of this "
        "objective are trained on the split.",
    )
    random_state: int | None = Field(
        default=None,
        ge=0,
        description="`random_state` of `scikit_learn` and `k_fold`. With a number, every repeat of "
        "`scikit_learn` has the same split, so that repeats differ only in the training seed, and `null` "
        "uses `seed` plus the number of the repeat. For `k_fold`, `null` uses `seed`.",
    )
    n_folds: int | None = Field(
        default=None,
        ge=2,
        description="Number of folds of `k_fold`. Repeats test on the folds in turn; with more repeats than "
        "folds, materials are divided anew, with the next `random_state`.",
    )
