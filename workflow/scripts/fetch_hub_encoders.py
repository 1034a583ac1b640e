"""Fetch the encoders of AutoGluon's preset from the Hugging Face hub, unless the cache has them."""

from pathlib import Path
from typing import Any

from polyfacet.engines.automm.hyperparameters import AutoMMSettings
from polyfacet.facets import Facet, facets_of
from polyfacet.online.hub import fetch_encoders
from polyfacet.online.hub_cache import write_record


def main(record: Path, *, cache: Path, combinations: list[str], settings: dict[str, Any]) -> None:
    """Fetch them and write down what they are.

    Parameters
    ----------
    record
        Output: JSON with the repository and the revision of each encoder.
    cache
        Folder that keeps what was fetched, for every run.
    combinations
        Facet combinations of the run.
    settings
        Settings of the engine (``AutoMMSettings``).
    """
    used = {facet for combination in combinations for facet in facets_of(combination)}
    facets = [facet for facet in Facet if facet in used]
    write_record(record, fetch_encoders(facets, AutoMMSettings(**settings), cache))


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
