"""Sources of crystals: files and folders, and what their columns mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from polyfacet.config.section import InputPath, Section, Text

Format = Literal["alexandria", "files", "table", "matbench", "extxyz"]
# Keys that only some formats use.
USED_BY: Mapping[str, tuple[Format, ...]] = {
    "properties": ("files",),
    "id": ("files", "table", "matbench", "extxyz"),
    "structure": ("table", "matbench"),
}


class Source(Section):
    """A source of crystals, where its path does not say enough."""

    path: InputPath = Field(description="File or folder.", examples=["crystals/"])
    format: Format | None = Field(
        default=None,
        description="`alexandria`: entries of Alexandria; `files`: CIF or POSCAR files; `table`: CSV or "
        "Parquet with a column of structures; `matbench`: JSON of a matbench task; `extxyz`: extended XYZ. "
        "`null` detects it.",
    )
    properties: Text | Literal[False] | None = Field(
        default=None,
        description="CSV of the properties of structure files: a file in their folder, or a path. `null` "
        "uses `id_prop.csv` in the folder, also compressed, if it is there; `false` uses none.",
        examples=["properties.csv"],
    )
    id: Text | None = Field(
        default=None,
        description="Column, or key of extended XYZ, with the identifier; `null` detects it.",
        examples=["material_id"],
    )
    structure: Text | None = Field(
        default=None,
        description="Column with the structure as CIF text or pymatgen JSON; `null` detects it.",
        examples=["cif"],
    )

    @model_validator(mode="after")
    def _keys_fit_the_format(self) -> Self:
        for key, formats in USED_BY.items():
            if self.format is not None and getattr(self, key) is not None and self.format not in formats:
                raise ValueError(
                    f"`{key}` is only used by {', '.join(formats)}, but the format is {self.format}. "
                    "Remove one of the two"
                )
        return self

    @classmethod
    def of(cls, given: "GivenSource") -> "Source":
        """Return a source that a configuration gives as a path or as a mapping."""
        if isinstance(given, Source):
            return given
        return cls.model_validate(dict(given) if isinstance(given, Mapping) else {"path": str(given)})


# A source as users give it: a path, or the keys of a source.
GivenSource = str | Path | Mapping[str, Any] | Source
