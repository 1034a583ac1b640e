"""Fetch the encoders of AutoGluon's preset from the Hugging Face hub, unless the cache has them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from polyfacet.facets.registry import facets_of, in_order
from polyfacet.training.encoders.hub import fetch_encoders
from polyfacet.training.encoders.hub_cache import write_record
from polyfacet.training.engines.automm.hyperparameters import AutoMMSettings


def main(
    record: Path,
    *,
    cache: Path,
    combinations: list[str],
    settings: dict[str, Any],
    checkpoints: Mapping[str, str | None] = MappingProxyType({}),
    own_only: bool = False,
) -> None:
    """Fetch the encoders and record their revisions.

    Parameters
    ----------
    record
        Output: JSON with the repository and the revision of each encoder.
    cache
        Folder that keeps fetched files, for every run.
    combinations
        Facet combinations of the run.
    settings
        Settings of the engine; those unknown to ``AutoMMSettings`` belong to a plug-in.
    checkpoints
        Facet to the checkpoint used instead of the preset's.
    own_only
        Whether to fetch only these, as the encoders of the other facets are local.
    """
    used = {facet for combination in combinations for facet in facets_of(combination)}
    facets = in_order(used)
    names = AutoMMSettings.model_fields.keys() & settings.keys()
    chosen = AutoMMSettings(**{name: settings[name] for name in names})
    write_record(record, fetch_encoders(facets, chosen, cache, checkpoints, own_only))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
