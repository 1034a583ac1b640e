# Input, parameter and resource functions of rules/dataset.smk.


def files_of_stages(facets):
    """Return the file patterns of those facets that have their own stage."""
    return [
        files_of_facet(facet, FORMS.get(facet.base, ""), SOURCE, SPLIT)
        for facet in facets
        if facet.stage
    ]


def tables_of_shard(wildcards):
    """Return the tables of a shard, one per facet with a stage."""
    return [
        files.table.format(**wildcards)
        for files in files_of_stages(FACETS_OF[wildcards.source])
    ]


def pictures_of_shard(wildcards):
    """Return the folders with the pictures of a shard."""
    return [
        files.pictures.format(**wildcards)
        for files in files_of_stages(FACETS_OF[wildcards.source])
        if files.pictures
    ]


def shown_of_source(wildcards):
    """Return label and unit of those objectives of a source whose tables do not contain theirs."""
    own = OBJECTIVES[wildcards.source]
    names = own if wildcards.source != CRYSTALS else COLUMN_OBJECTIVES
    return {name: own[name].shown for name in names}


def named_files(wildcards):
    """Return the files and folders of a source, as the configuration names them."""
    if wildcards.source != CRYSTALS:
        return [config["tables"][wildcards.source]["file"]]
    return [
        file if isinstance(file, str) else file["path"] for file in config["sources"]
    ]


def about_dataset(wildcards):
    """Return what the data card says of a dataset's run, source and split."""
    return {
        "run": config["run_name"],
        "source": wildcards.source,
        "files": named_files(wildcards),
        "split": wildcards.split,
        "split_method": split_method(wildcards),
        "repeat": int(wildcards.repeat),
        "seed": config["seed"],
    }
