# Input and parameter functions of rules/audit.smk.


def places_of_run():
    """Return source, split and repeat of each split of the run, in the order of `splits_of_run`."""
    names = ("source", "split", "repeat")
    found = [
        dict(zip(names, place.split("/")))
        for place in splits_of_run("{source}/{split}/{repeat}")
    ]
    return [{**place, "repeat": int(place["repeat"])} for place in found]


def trainings_by_source():
    """Return the records of networks and encodings that facets come from, by source."""
    return {
        source: [
            *(
                splits_of_run(rules.fit_network.output.record, [source])
                if GRAPH in FACETS_OF[source]
                else []
            ),
            *splits_of_run(
                rules.encode_facet.output.record,
                [source],
                facet=[facet.name for facet in ENCODED_FACETS[source]],
            ),
        ]
        for source in SOURCES
    }


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
