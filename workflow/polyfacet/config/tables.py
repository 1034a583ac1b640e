"""Tables of compositions, and what their columns mean."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from polyfacet.config.elements import Element
from polyfacet.config.section import InputPath, Name, Section, Text, each_once, read_as
from polyfacet.config.taken_names import TAKEN_BY_TABLES
from polyfacet.elements.column_names import compound_in, is_by_atoms, is_by_weight, is_in_ppm
from polyfacet.runtime.names import PLAIN_NAME

Unit = Literal["atoms", "atomic_percent", "atomic_fraction", "weight_percent", "weight_fraction"]
Brackets = Literal["atoms", "shares"]

TableName = Annotated[str, Field(pattern=rf"^{PLAIN_NAME}$")]


def _named_like_their_elements(columns: Any) -> Any:
    """Read a list of elements as columns of these names."""
    if not isinstance(columns, list | str):
        return columns
    names = each_once(read_as(columns, list[Element]))
    return {name: name for name in names} if all(isinstance(name, str) for name in names) else columns


class CompositionColumns(Section):
    """Where a row's composition is: a formula in one column, or one column per element."""

    formula: str | None = Field(
        default=None, description="Column of formulas; `null` if there is one column per element."
    )
    columns: Annotated[
        dict[Element, Text],
        BeforeValidator(
            _named_like_their_elements, json_schema_input_type=list[Element] | dict[Element, Text]
        ),
    ] = Field(
        default={},
        description="Columns of elements: a list if they are named like their elements, else `{Fe: iron "
        "content}`.",
    )
    unit: Unit = Field(default="atoms", description="Unit of the amounts.")
    brackets: Brackets = Field(
        default="atoms",
        description="What a bracket of a formula is: `atoms` as in Ca(OH)2, or a sub-alloy of which the "
        "number behind it gives `shares`, as in (Fe75Co25)83P17.",
    )
    balance: Element | None = Field(
        default=None, description="Element that has what is left to 100 percent, or to 1; `null` for none."
    )
    convert: bool = Field(
        default=True,
        description="Whether amounts are converted to atomic percent; otherwise they count as given.",
    )
    partial: bool = Field(
        default=False,
        description="Whether rows may state a part of their composition. Otherwise percentages or "
        "fractions without a `balance` have to add up to the whole (0.5 % more and 1 % less "
        "are rounding), and other rows are rejected.",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.formula is None) == (not self.columns):
            raise ValueError("name a `formula` column or `columns` of elements, one of the two")
        if self.balance is not None and self.unit == "atoms":
            raise ValueError("a `balance` needs a `unit` with a whole: percent or fraction")
        if self.balance in self.columns:
            raise ValueError(f"{self.balance} is the balance and a column at once")
        if self.balance is not None and self.partial:
            raise ValueError("a `balance` makes the composition whole, so that it is not `partial`")
        return self

    @model_validator(mode="after")
    def _agrees_with_the_names_of_columns(self) -> Self:
        is_weight = self.unit.startswith("weight")
        for name in filter(None, [self.formula, *self.columns.values()]):
            if is_in_ppm(name):
                raise ValueError(f"the column {name!r} is in ppm: convert it to the `unit` of the others")
            if is_by_weight(name) and not is_weight:
                raise ValueError(f"the column {name!r} is by weight, but the `unit` is {self.unit}")
            if is_by_atoms(name) and is_weight:
                raise ValueError(f"the column {name!r} is by atoms, but the `unit` is {self.unit}")
        for symbol, name in self.columns.items():
            compound = compound_in(name)
            if compound is not None:
                raise ValueError(
                    f"the column {name!r} has amounts of {compound}, not of {symbol}: convert them to "
                    "amounts of elements, or state each composition as a formula in one column"
                )
        return self


class ObjectiveColumn(Section):
    """A column to predict: numbers, or the names of classes."""

    column: Text = Field(description="Column of the table.", examples=["Hardness"])
    label: str | None = Field(
        default=None, description="Name in tables and figures; `null` takes that of the column."
    )
    unit: str = Field(default="", description="Unit of numbers.")
    classes: Annotated[list[Text], AfterValidator(each_once)] = Field(
        default=[], description="Class names; empty for regression."
    )

    @field_validator("classes")
    @classmethod
    def _classes_can_be_told_apart(cls, classes: list[str]) -> list[str]:
        for name in classes:
            if name != name.strip() or not name.isprintable():
                raise ValueError(
                    f"class {name!r} has white space around it or characters that cannot be printed"
                )
            if name in TAKEN_BY_TABLES:
                raise ValueError(
                    f"class {name!r} is a name of Polyfacet's own. Rename it in the table and here"
                )
        return classes


class TableSource(Section):
    """A table and what its columns mean."""

    file: InputPath = Field(description="A CSV in UTF-8 with a header.", examples=["data/alloys.csv"])
    id: str | None = Field(
        default=None,
        description="Column of identifiers; `null` makes them of the table's name and the number of the row.",
    )
    composition: CompositionColumns = Field(
        description="Where and in which unit a row states its composition.",
        examples=[{"columns": ["Fe", "Cr"], "unit": "weight_percent"}],
    )
    process: Annotated[list[Text], AfterValidator(each_once)] = Field(
        default=[],
        description="Columns of numbers, such as process conditions, that are features beside the "
        "composition.",
    )
    objectives: Annotated[dict[Name, ObjectiveColumn], Field(min_length=1)] = Field(
        description="What is predicted.", examples=[{"hardness": {"column": "Hardness", "unit": "HV"}}]
    )

    @field_validator("objectives")
    @classmethod
    def _names_are_free(cls, objectives: dict[str, ObjectiveColumn]) -> dict[str, ObjectiveColumn]:
        taken = sorted(TAKEN_BY_TABLES & set(objectives))
        if taken:
            raise ValueError(
                f"the name {taken[0]!r} is that of a column of Polyfacet's own tables. Rename the objective, "
                f"for example to {taken[0]}_objective; its `column` may stay as it is"
            )
        return objectives

    @model_validator(mode="after")
    def _each_column_has_one_role(self) -> Self:
        roles: dict[str, list[str]] = {}
        for role, columns in (
            ("composition.formula", filter(None, [self.composition.formula])),
            ("composition.columns", self.composition.columns.values()),
            ("process", self.process),
            ("objectives", dict.fromkeys(each.column for each in self.objectives.values())),
        ):
            for name in columns:
                roles.setdefault(name, []).append(role)
        twice = {name: has for name, has in roles.items() if len(has) > 1}
        if self.id is not None and "objectives" in roles.get(self.id, []):
            twice[self.id] = ["id", *roles[self.id]]
        if twice:
            name, has = next(iter(twice.items()))
            raise ValueError(
                f"the column {name!r} is named in {' and in '.join(has)}. Name it in one of them: what is "
                "predicted must not be a feature, and no feature may count twice"
            )
        return self
