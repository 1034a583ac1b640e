"""How the materials of a source are split into training, validation and test part."""

from typing import Annotated

from pydantic import AfterValidator, Field

from polyfacet.config.section import InputPath, Name, Section, Text, each_once


class Split(Section):
    """A way of splitting, and how often it is repeated."""

    method: Name | None = Field(
        default=None,
        description="`random` splits materials, like Costa (2024); `formula` keeps each reduced formula in "
        "one part, `column` each value of a column of the sample; `folds` takes the parts from a file; "
        "`scikit_learn` splits by the order of the rows with `train_test_split`, as much published code "
        "does. `null` takes the method that is named like the split. Twins, one crystal under several "
        "identifiers, always stay together; compositions of tables and of disordered crystals that are "
        "equal within rounding are one formula.",
    )
    sources: Annotated[list[Name], AfterValidator(each_once)] = Field(
        default=[],
        description="Sources that are split this way: `crystals` or names of tables; empty for all.",
    )
    train_fraction: float = Field(
        default=0.85, gt=0, lt=1, description="Share of the materials that are not tested on."
    )
    validation_fraction: float = Field(
        default=0.15,
        gt=0,
        le=0.5,
        description="Share of these that chooses epochs and checkpoints. Nothing is fitted on it, neither a "
        "model nor a facet.",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Number of repeats, each with its own test rows, validation rows and seeds; everything "
        "that is fitted is fitted once per repeat.",
    )
    column: Text | None = Field(
        default=None,
        description="Column that `column` groups by, such as `prototype_id` or `space_group`.",
    )
    file: InputPath | None = Field(
        default=None,
        description="CSV of `folds`: columns `mat_id`, `part` (train, valid, test) and, for several "
        "repeats, `repeat` from 0.",
    )
    random_state: int | None = Field(
        default=None,
        ge=0,
        description="`random_state` of `scikit_learn`. A number makes every repeat the same split, so that "
        "repeats differ by the seed of training alone; `null` takes `seed` plus the number of the repeat.",
    )
