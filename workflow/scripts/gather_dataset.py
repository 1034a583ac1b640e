"""Combine the dataset's parts into one table."""

from pathlib import Path

from polyfacet.runtime.progress import tell
from polyfacet.training.dataset import write_dataset_metadata


def main(parts: list[Path], metadata: Path) -> None:
    """List the parts in Parquet's own format, and remove parts of a run with more shards.

    Parameters
    ----------
    parts
        Tables, one per shard, in one folder.
    metadata
        Output: ``_metadata`` in that folder.
    """
    names = {part.name for part in parts}
    for path in [path for path in metadata.parent.glob("*.parquet") if path.name not in names]:
        tell(f"{path}: removed, as it belongs to no shard of this run")
        path.unlink()
    write_dataset_metadata(metadata, sorted(parts))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
