# Input and parameter functions of rules/download.smk.

from polyfacet.runtime.file_state import state_of_files
from polyfacet.sources.planning import watched_paths


def files_of_sources(wildcards):
    """Return the files in `sources`; for folders, all files in them that are read."""
    return [of_user(path) for path in watched_paths(config["sources"], PUBLISHED)]


def state_of_sources(wildcards):
    """Return a digest that identifies the content of these files: Snakemake compares only times."""
    return state_of_files(map(Path, files_of_sources(wildcards)))
