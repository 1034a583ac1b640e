"""Objectives that are columns of a source, and what an objective follows from."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from polyfacet.config.section import WRITE, Name, Section, Text, each_once
from polyfacet.config.taken_names import TAKEN_BY_CRYSTALS, TAKEN_BY_TABLES

# What a facet may show of a material, and what an objective may follow from.
Aspect = Literal["composition", "lattice", "sites"]


def _told_apart(classes: list[str]) -> list[str]:
    """Reject class names that readers of results could not tell apart from others."""
    for name in classes:
        if name != name.strip() or not name.isprintable():
            raise ValueError(f"class {name!r} has leading or trailing white space, or unprintable characters")
        if name in TAKEN_BY_TABLES:
            raise ValueError(f"class {name!r} is a reserved name. Rename it in the table and here")
    return classes


Classes = Annotated[list[Text], AfterValidator(each_once), AfterValidator(_told_apart)]
# What materials are called whose value is zero, and all others.
Zero = Annotated[list[Text], Field(min_length=2, max_length=2), AfterValidator(each_once)]
ZERO = (
    "If a value of zero has a meaning of its own: names of the materials whose value is zero, and of all "
    "others. The decision between the two is then scored, too. Only for numbers that are never negative."
)


def zero_of_numbers(zero: list[str] | None, classes: list[str]) -> None:
    """Reject a meaning of zero for an objective that has classes."""
    if zero is not None and classes:
        raise ValueError("`zero` is for numbers, but the objective has `classes`: remove one of them")


class CrystalColumn(Section):
    """An objective of crystals that is a column of their source: numbers, or the names of classes."""

    name: Name = Field(
        description="Name in the configuration, in columns and in paths of results.",
        examples=["bulk_modulus"],
    )
    column: Text | None = Field(
        default=None,
        description="Column of the source, or field of the `data` block of an entry; a dot leads into a "
        "nested field (`elasticity.K_VRH`). `null` if it is called like the objective.",
        examples=["K_VRH (GPa)"],
    )
    label: str | None = Field(
        default=None, description="Name in tables and figures; `null` uses that of the column."
    )
    unit: str = Field(default="", description="Unit of the numbers.")
    classes: Classes = Field(default=[], description="Class names; empty for regression.")
    follows_from: Annotated[list[Aspect], AfterValidator(each_once)] = Field(
        default=[],
        description="What the value can be computed from exactly: the density follows from composition, "
        "lattice and sites. Cells whose facets show all of it are marked with a dagger.",
        examples=[["composition", "lattice", "sites"]],
    )
    zero: Zero | None = Field(default=None, description=ZERO, examples=[["metal", "insulator"]])

    @model_validator(mode="after")
    def _zero_is_of_numbers(self) -> Self:
        zero_of_numbers(self.zero, self.classes)
        return self


def _checked_names(objectives: list[str | CrystalColumn]) -> list[str | CrystalColumn]:
    """Reject names that are reserved, or that occur twice."""
    names = [each if isinstance(each, str) else each.name for each in objectives]
    for name, each in zip(names, objectives, strict=True):
        if name in TAKEN_BY_CRYSTALS:
            column = name if isinstance(each, str) else each.column or name
            raise PydanticCustomError(
                "taken",
                "the name {name} is reserved for a column of Polyfacet's own tables; the column may keep it",
                {"name": repr(name), WRITE: [{"name": f"stated_{name}", "column": column}]},
            )
    once = [_as_written(each) for i, each in enumerate(objectives) if names[i] not in names[:i]]
    if len(once) < len(objectives):
        raise PydanticCustomError("twice", "has repeated items", {WRITE: once})
    return objectives


def _as_written(objective: str | CrystalColumn) -> str | Mapping[str, Any]:
    if isinstance(objective, str):
        return objective
    return objective.model_dump(mode="json", exclude_defaults=True)


CrystalObjectives = Annotated[list[Name | CrystalColumn], Field(min_length=1), AfterValidator(_checked_names)]
