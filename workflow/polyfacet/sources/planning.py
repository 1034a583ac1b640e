"""What a run has to know about its sources before they are read: their files and their size."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from polyfacet.config.sources import GivenSource, Source
from polyfacet.sources.alexandria.entry_files import estimated_entries
from polyfacet.sources.alexandria.remote_files import DOWNLOADS, RemoteFile
from polyfacet.sources.alexandria.source_files import source_files


def watched_paths(sources: Sequence[GivenSource], published: Mapping[str, RemoteFile]) -> list[str]:
    """Return the files and folders whose changes make a run read its sources again.

    Parameters
    ----------
    sources
        The sources as the configuration gives them.
    published
        Files that are downloaded, by name.
    """
    return source_files([source.path for source in map(Source.of, sources)], published)


def estimated_materials(sources: Iterable[GivenSource], published: Mapping[str, RemoteFile]) -> int:
    """Estimate, without opening a file, the number of materials to sample from."""
    downloaded: Collection[str] = {str(DOWNLOADS / name) for name in published}
    return estimated_entries(watched_paths(list(sources), published), downloaded)
