# Input and parameter functions of rules/download.smk.

from polyfacet.sources import planning


def files_of_sources(wildcards):
    """Return what is in `sources`: all files that are read, but folders of structure files as such.

    Snakemake would take minutes for all files of such a folder, and the time of the folder itself says
    little: the parameter `state` shows their changes.
    """
    return [
        *map(of_user, planning.watched_files(config["sources"], PUBLISHED)),
        *(
            ancient(of_user(folder))
            for folder in planning.watched_folders(config["sources"])
        ),
    ]


def state_of_sources(wildcards):
    """Return a digest that identifies the content of all sources: Snakemake compares only times."""
    return planning.state_of_sources(
        config["sources"], PUBLISHED, Path(".snakemake/polyfacet")
    )
