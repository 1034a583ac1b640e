"""Settings of ensembles."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from polyfacet.config.section import EngineSettings
from polyfacet.training.engines.base import Settings


class Member(Settings):
    """One engine of an ensemble."""

    engine: str = Field(
        description="Name of an engine that gives probabilities and needs no encoders.",
        examples=["classical"],
    )
    settings: EngineSettings = Field(default={}, description="Its settings.")
    weight: float = Field(
        default=1.0, gt=0, description="Its share in the answer, relative to the other members."
    )


# Trees that split at random, and slow boosting on parts of rows and features: they err differently.
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
    """The engines that answer together."""

    members: tuple[Member, ...] | None = Field(
        default=None,
        min_length=1,
        description="List of `{engine, settings, weight}`; `null` takes extra trees and slowly boosted "
        "trees.",
    )


def members_of(settings: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """List the engines, with their settings, of an ensemble's settings as a configuration has them."""
    members = EnsembleSettings(**settings).members or DEFAULT_MEMBERS
    return [(member.engine, member.settings) for member in members]
