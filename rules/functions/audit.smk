# Input and parameter functions of rules/audit.smk.


def hub_encoders_by_source():
    """Return the records of the encoders from the hub, by source; one per method that uses any."""
    return {
        source: [
            rules.fetch_hub_encoders.output.record.format(source=source, method=name)
            for of, name in OWN_FOLDERS
            if of == source
            and fetches_encoders(SimpleNamespace(source=source, method=name))
        ]
        for source in SOURCES
    }


def local_checkpoints_by_source():
    """Return the facets whose encoder starts from a folder of the user, and that folder, by source."""
    return {
        source: {
            facet: folder
            for (of, _), folders in OWN_FOLDERS.items()
            if of == source
            for facet, folder in folders.items()
            if folder
        }
        for source in SOURCES
    }


def source_of_each(by_source):
    """Return the source of each file, in the order of the files."""
    return [source for source, paths in by_source.items() for _ in paths]
