# Functions that rules/dataset.smk calls for inputs, parameters and resources of its rules.


def files_of_stages(facets):
    """The files of those facets that have a stage of their own, as patterns."""
    return [
        files_of_facet(facet, FORMS.get(facet.base, ""), SOURCE, SPLIT)
        for facet in facets
        if facet.stage
    ]


def tables_of_shard(wildcards):
    """Tables of a shard, one per facet that has a stage."""
    return [
        files.table.format(**wildcards)
        for files in files_of_stages(FACETS_OF[wildcards.source])
    ]


def pictures_of_shard(wildcards):
    """Folders of the pictures of a shard."""
    return [
        files.pictures.format(**wildcards)
        for files in files_of_stages(FACETS_OF[wildcards.source])
        if files.pictures
    ]
