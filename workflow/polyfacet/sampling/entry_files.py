"""Files of entries: what they are called, where they are, how many entries they may hold."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from polyfacet.errors import UserError

SUFFIXES = (".json", ".json.bz2", ".json.gz")
# Alexandria's 1D and 3D entries take 2900 to 5400 bytes each, 460 to 770 with bz2, 580 to 920 with gzip.
BYTES_PER_ENTRY = {".json": 4000, ".bz2": 600, ".gz": 750}
# Entries in a file as Alexandria publishes it.
ENTRIES_PER_PUBLISHED_FILE = 100_000


def entry_files(sources: Sequence[Path]) -> list[Path]:
    """List the entry files that files and folders name, each once, in a fixed order.

    Raises
    ------
    UserError
        If a source does not exist, is no entry file, or a folder holds none.
    """
    files: set[Path] = set()
    for source in sources:
        if source.is_dir():
            found = [path for path in source.iterdir() if path.name.endswith(SUFFIXES)]
            if not found:
                raise UserError(f"{source} holds no entry files ({', '.join(SUFFIXES)}).")
            files.update(found)
        elif not source.exists():
            raise UserError(f"{source} does not exist. Put the file there or mend `sources` in the config.")
        elif not source.name.endswith(SUFFIXES):
            raise UserError(f"{source} is no entry file: its name must end in {', '.join(SUFFIXES)}.")
        else:
            files.add(source)
    return sorted(files)


def estimated_entries(sources: Iterable[str], published: Collection[str]) -> int:
    """Estimate, without opening a file, how many entries there are to sample from.

    Parameters
    ----------
    sources
        Entry files, or folders of them.
    published
        Sources that are downloaded: what they count for must not change when they arrive.
    """
    n_entries = 0
    for source in sources:
        if source in published:
            n_entries += ENTRIES_PER_PUBLISHED_FILE
            continue
        files = Path(source).iterdir() if Path(source).is_dir() else [Path(source)]
        present = [path for path in files if path.name.endswith(SUFFIXES) and path.is_file()]
        n_entries += sum(path.stat().st_size // BYTES_PER_ENTRY[path.suffix] for path in present)
    return n_entries
