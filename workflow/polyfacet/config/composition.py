"""Composition text and composition image."""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from polyfacet.config.section import WRITE, InputPath, Section

FormulaText = Literal["composition", "composition_fraction", "crabnet", "matscholar"]
StructureText = Literal["cell_composition", "robocrystallographer", "cif"]
StatisticsBackend = Literal["polyfacet", "xenonpy"]
StatisticsMode = Literal["xenonpy", "stable"]
ImageLayout = Literal["fixed", "mcvn2022"]
GreyLevelRows = Literal["train", "all"]


class Composition(Section):
    """Composition text and composition image."""

    text: FormulaText | StructureText = Field(
        default="composition",
        description="Form of the text facet: `composition` is the reduced formula as words (`Ac Hg 2 Cd 2`), "
        "`crabnet` sorts by fraction (`Cd 0.4 Hg 0.4 Ac 0.2`), `matscholar` is the text of `composition` "
        "with a pretrained frozen encoding, `cell_composition` counts the atoms in the cell, as in Costa "
        "(2024) (`Ac 4`, where `composition` is `Ac`); `robocrystallographer` (sentences) and `cif` "
        "(shortened) describe the structure and need `encoders.source: hub`, as the vocabulary of local "
        "encoders has only elements and numbers.",
    )
    element_table: InputPath | None = Field(
        default=None,
        description="CSV file of element properties; `null` uses XenonPy's data set if it is installed and "
        "rebuilds the table otherwise.",
    )
    backend: StatisticsBackend = Field(
        default="polyfacet",
        description="Implementation of the statistics in composition images; the package `xenonpy` is far "
        "slower and supports only `statistics: xenonpy`.",
    )
    statistics: StatisticsMode = Field(
        default="stable",
        description="`xenonpy` follows XenonPy on awkward values, `stable` computes means with logarithms "
        "and masks NaN.",
    )
    layout: ImageLayout = Field(
        default="fixed",
        description="`fixed` is the correct arrangement of the blocks, `mcvn2022` that of the published "
        "images.",
    )
    fit: GreyLevelRows = Field(
        default="train",
        description="Rows that the grey levels are fitted on; `all` reproduces the paper and leaks the "
        "test part.",
    )
    scale: int = Field(default=4, ge=1, le=32, description="Pixels per pixel of the 24 x 21 image.")

    @model_validator(mode="after")
    def _backend_has_the_statistics(self) -> Self:
        if self.backend == "xenonpy" and self.statistics != "xenonpy":
            raise PydanticCustomError(
                "contradiction",
                "`backend: xenonpy` does not support `statistics: {given}`",
                {"given": self.statistics, WRITE: {"statistics": "xenonpy"}},
            )
        return self
