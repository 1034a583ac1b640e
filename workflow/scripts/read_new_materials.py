"""Read the new materials that a bundle predicts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from polyfacet.config.sources import GivenSource
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import write_text
from polyfacet.runtime.progress import tell
from polyfacet.training.bundles.description import read_description
from polyfacet.use.prediction.inputs import read_inputs


def main(
    materials: Path,
    rejected: Path,
    summary: Path,
    *,
    bundle: str,
    sources: Annotated[Sequence[GivenSource], Key("predict.sources")],
    threads: Annotated[int, Key("training.threads")] = 1,
) -> None:
    """Read the materials.

    Parameters
    ----------
    materials, rejected, summary
        Outputs: the materials; those that cannot be used, with reasons; counts, as JSON.
    bundle
        Folder of the bundle.
    sources
        Sources of the materials.
    threads
        Number of processes that read.
    """
    counts = read_inputs(sources, read_description(Path(bundle)), materials, rejected, threads)
    write_text(summary, json.dumps({"read": counts.read, "left_out": counts.left_out}) + "\n")
    tell(f"read {counts.read} materials; {counts.left_out} cannot be used")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
