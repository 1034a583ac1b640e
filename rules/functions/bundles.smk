# Input and parameter functions of rules/bundles.smk.


def shows(wildcards, facet):
    """Return whether a method of a job's source uses a facet, in any form that is fitted on a split."""
    return any(
        each.base == facet.name and not each.network
        for each in FACETS_OF[wildcards.source]
    )


def folder_of_cells(wildcards, input):
    """Return the folder of all cells of a split."""
    source = Path(input.sample).parents[1]
    return str(source / f"{wildcards.split}-{wildcards.repeat}" / "cells")


def bundled_cells(wildcards):
    """Return the folder of each cell of a split, relative to that of all cells."""
    methods = methods_of_repeat(METHODS[wildcards.source], int(wildcards.repeat))
    return [
        f"{name}/{combination}/{objective}"
        for name, method in methods.items()
        for combination in method["combinations"] or [NO_FACET]
        for objective in objectives_of_split(SPLITS[wildcards.split], method)
    ]


def files_of_split(attribute):
    """Return an input function for the files of all facets of a split, ordered by facet and shard."""

    def files(wildcards):
        return [
            path
            for files in files_of_stages(FACETS_OF[wildcards.source])
            if getattr(files, attribute)
            for path in expand(
                getattr(files, attribute),
                shard=range(n_shards(wildcards.source)),
                **wildcards,
            )
        ]

    return files


def summary_of_table(wildcards):
    """Return what was read of a table; nothing for crystals."""
    return (
        []
        if wildcards.source == CRYSTALS
        else f"{SOURCE}/sample/summary.json".format(source=wildcards.source)
    )


def bundles_of_run(wildcards):
    """Return the folders of the bundles of all splits."""
    if not config["training"]["keep_models"]:
        raise WorkflowError(
            "Bundles hold trained models, which this run does not keep. Set training.keep_models to true."
        )
    return splits_of_run(rules.bundle_cells.output.bundles)
