"""Settings of ensembles."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from polyfacet.config.section import EngineSettings
from polyfacet.training.engines.base import Settings


class Member(Settings):
    """One engine of an ensemble."""

    engine: str = Field(
        description="Name of an engine that predicts probabilities and needs no encoders.",
        examples=["classical"],
    )
    settings: EngineSettings = Field(default={}, description="Its settings.")
    weight: float = Field(
        default=1.0, gt=0, description="Weight in the average, relative to the other members."
    )


# Randomly split trees, and slow boosting on subsets of rows and features: their errors differ.
DEFAULT_MEMBERS = (
    Member(engine="classical", settings={"model": "extra_trees", "hyperparameters": {"n_estimators": 300}}),
    Member(
        engine="classical",
        settings={
            "model": "xgboost",
            "hyperparameters": {
                "n_estimators": 600,
                "learning_rate": 0.05,
                "max_depth": 8,
                "subsample": 0.8,
                "colsample_bytree": 0.5,
            },
        },
    ),
)


class EnsembleSettings(Settings):
    """The engines that are averaged."""

    members: tuple[Member, ...] | None = Field(
        default=None,
        min_length=1,
        description="List of `{engine, settings, weight}`; `null` uses extra trees and slowly boosted trees.",
    )


def members_of(settings: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """List the engines and their settings in an ensemble's settings, as in a configuration."""
    members = EnsembleSettings(**settings).members or DEFAULT_MEMBERS
    return [(member.engine, member.settings) for member in members]
