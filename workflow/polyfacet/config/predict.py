"""Predictions for new materials, in shards."""

from pydantic import Field

from polyfacet.config.section import InputPath, Section, Text
from polyfacet.config.sources import Source


class Predict(Section):
    """What the target `predict` predicts."""

    bundle: Text | None = Field(
        default=None,
        description="Folder of the bundle that predicts (docs/predict.md).",
        examples=["results/default/crystals/formula-0/bundles/automm/text/gap"],
    )
    sources: list[InputPath | Source] = Field(
        default=[], description="New materials: sources of structures as in `sources`, or CSVs of formulas."
    )
    shards: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Number of shards, one job each; `null` derives it from `shard_size` and the size of the "
        "sources. Predictions do not depend on it.",
    )
