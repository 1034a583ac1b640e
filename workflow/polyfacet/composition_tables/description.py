"""What the columns of a table mean, as `tables.<name>` of a configuration says."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from polyfacet.composition.amounts import WHOLE, Unit
from polyfacet.composition.formula import SYMBOLS
from polyfacet.errors import UserError
from polyfacet.objectives import Objective


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
        return self


class TargetColumn(_Part):
    """A column to predict: numbers, or the names of classes."""

    column: str
    label: str | None = None
    unit: str = ""
    classes: tuple[str, ...] = ()


class TableSource(_Part):
    """A CSV and what its columns mean."""

    file: str
    id: str | None = None
    composition: CompositionColumns
    process: tuple[str, ...] = ()
    targets: dict[str, TargetColumn]

    @property
    def columns(self) -> list[str]:
        """All columns that the table must have."""
        named = [self.id, self.composition.formula]
        return [
            *(name for name in named if name is not None),
            *self.composition.columns.values(),
            *self.process,
            *(target.column for target in self.targets.values()),
        ]

    @property
    def objectives(self) -> list[Objective]:
        """What is predicted."""
        return [
            Objective(name, target.label or target.column, target.unit, target.classes)
            for name, target in self.targets.items()
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
