"""Tables of compositions and the meaning of their columns."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from polyfacet.config.elements import Element
from polyfacet.config.objectives import ZERO, Classes, Zero, zero_of_numbers
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
    """How a row states its composition: a formula in one column, or one column per element."""

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
        description="Columns of elements: a list if each is named after its element, otherwise `{Fe: iron "
        "content}`.",
    )
    unit: Unit = Field(default="atoms", description="Unit of the amounts.")
    brackets: Brackets = Field(
        default="atoms",
        description="Meaning of brackets in formulas: `atoms`, a group of atoms as in Ca(OH)2; `shares`, a "
        "sub-alloy whose share is the number after it, as in (Fe75Co25)83P17.",
    )
    balance: Element | None = Field(
        default=None, description="Element that makes up the rest, to 100 percent or to 1; `null` for none."
    )
    convert: bool = Field(
        default=True,
        description="Whether amounts are converted to atomic percent; otherwise they are used as given.",
    )
    partial: bool = Field(
        default=False,
        description="Whether rows may state only part of their composition. Otherwise percentages or "
        "fractions without a `balance` must add up to 100 percent or to 1 (up to 0.5 % more or 1 % less "
        "is taken as rounding), and other rows are rejected.",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.formula is None) == (not self.columns):
            raise ValueError("name either a `formula` column or `columns` of elements, not both")
        if self.balance is not None and self.unit == "atoms":
            raise ValueError("a `balance` needs a `unit` with a fixed total: percent or fraction")
        if self.balance in self.columns:
            raise ValueError(f"{self.balance} cannot be both the balance and a column")
        if self.balance is not None and self.partial:
            raise ValueError("a `balance` completes the composition, so it cannot be `partial`")
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
                    f"the column {name!r} holds amounts of {compound}, not of {symbol}: convert them to "
                    "amounts of elements, or state each composition as a formula in one column"
                )
        return self


class ObjectiveColumn(Section):
    """A column to predict: numbers, or the names of classes."""

    column: Text = Field(description="Column of the table.", examples=["Hardness"])
    label: str | None = Field(
        default=None, description="Name in tables and figures; `null` uses that of the column."
    )
    unit: str = Field(default="", description="Unit of the numbers.")
    classes: Classes = Field(default=[], description="Class names; empty for regression.")
    follows_from: Annotated[list[Literal["composition"]], AfterValidator(each_once)] = Field(
        default=[],
        description="Whether the value can be computed from the composition exactly, as the molar mass can; "
        "cells whose facets show the composition are then marked with a dagger.",
        examples=[["composition"]],
    )
    zero: Zero | None = Field(default=None, description=ZERO, examples=[["brittle", "ductile"]])

    @model_validator(mode="after")
    def _zero_is_of_numbers(self) -> Self:
        zero_of_numbers(self.zero, self.classes)
        return self


class TableSource(Section):
    """A table and the meaning of its columns."""

    file: InputPath = Field(description="A CSV file in UTF-8 with a header.", examples=["data/alloys.csv"])
    id: str | None = Field(
        default=None,
        description="Column of identifiers; `null` builds them from the table's name and the row number.",
    )
    composition: CompositionColumns = Field(
        description="How, and in which unit, a row states its composition.",
        examples=[{"columns": ["Fe", "Cr"], "unit": "weight_percent"}],
    )
    process: Annotated[list[Text], AfterValidator(each_once)] = Field(
        default=[],
        description="Columns of numbers, such as process conditions, that are features in addition to the "
        "composition.",
    )
    microstructure: Annotated[list[Text], AfterValidator(each_once)] = Field(
        default=[],
        description="Columns of numbers that were measured on the microstructure, as a facet of their own.",
    )
    objectives: Annotated[dict[Name, ObjectiveColumn], Field(min_length=1)] = Field(
        description="Columns to predict.", examples=[{"hardness": {"column": "Hardness", "unit": "HV"}}]
    )

    @property
    def features(self) -> dict[str, list[str]]:
        """Facet to its columns, for each facet of columns besides the composition that the table has."""
        named = {"process": self.process, "microstructure": self.microstructure}
        return {facet: columns for facet, columns in named.items() if columns}

    @field_validator("objectives")
    @classmethod
    def _names_are_free(cls, objectives: dict[str, ObjectiveColumn]) -> dict[str, ObjectiveColumn]:
        taken = sorted(TAKEN_BY_TABLES & set(objectives))
        if taken:
            raise ValueError(
                f"the name {taken[0]!r} is reserved for a column of Polyfacet's own tables. Rename the "
                f"objective, for example to {taken[0]}_objective; its `column` can keep its name"
            )
        return objectives

    @model_validator(mode="after")
    def _each_column_has_one_role(self) -> Self:
        roles: dict[str, list[str]] = {}
        for role, columns in (
            ("composition.formula", filter(None, [self.composition.formula])),
            ("composition.columns", self.composition.columns.values()),
            *self.features.items(),
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
                f"the column {name!r} is named in {' and in '.join(has)}. Name it in only one of them: an "
                "objective must not be a feature, and no feature may count twice"
            )
        return self
