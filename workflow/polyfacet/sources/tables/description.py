"""What the columns of a table mean, as `tables.<name>` of a configuration says."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from polyfacet.materials.amounts import WHOLE, Unit
from polyfacet.materials.formula import SYMBOLS
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError

# Columns of the tables that are made of a user's table; names in results: all objectives, no facet.
RESERVED = frozenset(
    (
        "all",
        "compimage",
        "compimage_sha256",
        "composition_statistics",
        "composition",
        "facets",
        "formula",
        "group",
        "line",
        "mat_id",
        "none",
        "part",
        "process",
    )
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _named_like_their_elements(columns: Any) -> Any:
    """Read a list of elements as columns of these names."""
    return {name: name for name in columns} if isinstance(columns, list) else columns


class CompositionColumns(_Part):
    """Where a row's composition is: a formula in one column, or a column an element."""

    formula: str | None = None
    # Symbol to column.
    columns: Annotated[dict[str, str], BeforeValidator(_named_like_their_elements)] = Field(
        default_factory=dict
    )
    unit: Unit = "atoms"
    brackets: Literal["atoms", "shares"] = "atoms"
    balance: str | None = None
    convert: bool = True
    partial: bool = False

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.formula is None) == (not self.columns):
            raise ValueError("name a `formula` column or `columns` of elements, one of the two")
        unknown = [
            symbol for symbol in (*self.columns, *filter(None, [self.balance])) if symbol not in SYMBOLS
        ]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no element")
        if self.balance is not None and self.unit not in WHOLE:
            raise ValueError(f"a balance needs a unit with a whole: {', '.join(WHOLE)}")
        if self.balance in self.columns:
            raise ValueError(f"{self.balance} is the balance and a column at once")
        if self.balance is not None and self.partial:
            raise ValueError("a balance makes the composition whole, so that it is not `partial`")
        return self


class ObjectiveColumn(_Part):
    """A column to predict: numbers, or the names of classes."""

    column: str
    label: str | None = None
    unit: str = ""
    classes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _classes_can_be_told_apart(self) -> Self:
        for name in self.classes:
            if name != name.strip() or not name.isprintable():
                raise ValueError(
                    f"class {name!r} has white space around it or characters that cannot be printed"
                )
            if name in RESERVED:
                raise ValueError(
                    f"class {name!r} is a name of Polyfacet's own. Rename it in the table and here"
                )
        return self


class TableSource(_Part):
    """A CSV and what its columns mean."""

    file: str
    id: str | None = None
    composition: CompositionColumns
    process: tuple[str, ...] = ()
    described: dict[str, ObjectiveColumn] = Field(alias="objectives")

    @field_validator("described")
    @classmethod
    def _names_are_free(cls, described: dict[str, ObjectiveColumn]) -> dict[str, ObjectiveColumn]:
        taken = sorted(RESERVED & set(described))
        if taken:
            raise ValueError(
                f"the name {taken[0]!r} is that of a column of Polyfacet's own tables. Rename the objective, "
                f"for example to {taken[0]}_value; its `column` may stay as it is"
            )
        return described

    @model_validator(mode="after")
    def _each_column_has_one_role(self) -> Self:
        roles: dict[str, list[str]] = {}
        for role, columns in (
            ("composition.formula", filter(None, [self.composition.formula])),
            ("composition.columns", self.composition.columns.values()),
            ("process", self.process),
            ("objectives", dict.fromkeys(each.column for each in self.described.values())),
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

    @property
    def columns(self) -> list[str]:
        """All columns that the table must have."""
        named = [self.id, self.composition.formula]
        return [
            *(name for name in named if name is not None),
            *self.composition.columns.values(),
            *self.process,
            *(each.column for each in self.described.values()),
        ]

    @property
    def objectives(self) -> list[Objective]:
        """What is predicted."""
        return [
            Objective(name, each.label or each.column, each.unit, each.classes)
            for name, each in self.described.items()
        ]


def table_source(name: str, section: dict[str, Any]) -> TableSource:
    """Read a table's section of a configuration.

    Raises
    ------
    UserError
        If it contradicts itself; names the key.
    """
    try:
        return TableSource.model_validate(section)
    except ValidationError as error:
        problems = "\n".join(
            f"  - {'.'.join(['tables', name, *map(str, problem['loc'])])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise UserError(f"The description of the table {name} cannot be used:\n{problems}") from error
