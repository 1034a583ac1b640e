# Functions that rules/download.smk calls for inputs, parameters and resources of its rules.

from polyfacet.runtime.file_state import state_of_files
from polyfacet.sources.alexandria.source_files import source_files


def files_of_sources(wildcards):
    """The files that `sources` names; in a folder, each of those that are read."""
    return source_files(config["sources"], PUBLISHED)


def state_of_sources(wildcards):
    """Digest of what identifies the content of these files: Snakemake compares times only."""
    return state_of_files(map(Path, files_of_sources(wildcards)))
